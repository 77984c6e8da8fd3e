// Owns the delivery of what the bridge says in rooms: persisted first, in order per room, retried, each exactly once to see.
import type { RoomId } from '../call/ids.ts';
import { peopleByOrganisation } from '../call/people.ts';
import type { Logger } from '../log/logger.ts';
import { asError, background } from '../util/background.ts';
import type { CallRegistry } from './call-registry.ts';
import type { Clock } from './ports/clock.ts';
import type { Observer } from './ports/observer.ts';
import type { CallNotice, Delivery, RoomVoice } from './ports/room-voice.ts';
import type { Outbox, OutboxRow } from './ports/store.ts';
import type { RoomBook } from './room-book.ts';

export interface OutboxRunnerOptions {
  readonly outbox: Outbox;
  readonly voice: RoomVoice;
  readonly rooms: RoomBook;
  readonly calls: Pick<CallRegistry, 'find' | 'inRoom' | 'noticePosted' | 'announceAgain'>;
  /** The pages that other organisations have for the room's call. */
  readonly pagesOf: (room: RoomId) => CallNotice['pages'];
  readonly clock: Clock;
  readonly log: Logger;
  readonly observer: Observer;
  /** At most one edit of a notice per this time. */
  readonly noticeIntervalMs: number;
}

const backOffMs = { first: 1000, longest: 60_000 };
const atOnce = 8;

export class OutboxRunner {
  readonly #options: OutboxRunnerOptions;
  readonly #busyRooms = new Set<RoomId>();
  /** Rooms that may not be written to before that time (throttled notices, 429). In memory: after a restart one edit may come early. */
  readonly #notBeforeMs = new Map<string, number>();
  #cancelTimer: () => void = () => undefined;
  #running = false;
  #idle = Promise.withResolvers<undefined>();

  constructor(options: OutboxRunnerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = true;
    this.wake();
  }

  /** Something was marked or has become due. */
  wake(): void {
    if (!this.#running) return;
    const { outbox, clock } = this.#options;
    const nowMs = clock.nowMs();
    for (const row of outbox.due(nowMs, 64)) {
      const { key, room } = row.mark;
      if (this.#busyRooms.size >= atOnce) break;
      if (this.#busyRooms.has(room)) continue;
      const notBeforeMs = Math.max(this.#waitOf(key, nowMs), this.#waitOf(room, nowMs));
      if (notBeforeMs > nowMs) {
        outbox.defer(row, notBeforeMs);
        continue;
      }
      this.#busyRooms.add(room);
      background(this.#options.log, 'deliver', this.#deliver(row));
    }
    this.#scheduleNext(nowMs);
  }

  /** Post: nothing is being delivered any more; what is undelivered stays in the store. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#cancelTimer();
    if (this.#busyRooms.size === 0) return;
    this.#idle = Promise.withResolvers<undefined>();
    await this.#idle.promise;
  }

  #waitOf(key: string, nowMs: number): number {
    const notBeforeMs = this.#notBeforeMs.get(key) ?? 0;
    if (notBeforeMs <= nowMs) this.#notBeforeMs.delete(key);
    return notBeforeMs;
  }

  async #deliver(row: OutboxRow): Promise<void> {
    const { log, observer } = this.#options;
    try {
      const delivery = await this.#send(row);
      observer.messageDelivered(row.mark.kind, delivery.kind);
      await this.#settle(row, delivery);
    } catch (error) {
      log.error('delivery failed', { key: row.mark.key, error: asError(error) });
      await this.#settle(row, { kind: 'later', retryAfterMs: undefined, detail: 'unexpected error' });
    } finally {
      this.#busyRooms.delete(row.mark.room);
      if (this.#busyRooms.size === 0) this.#idle.resolve(undefined);
      this.wake();
    }
  }

  #send({ mark }: OutboxRow): Promise<Delivery> {
    const { voice, rooms } = this.#options;
    if (mark.kind === 'message') return voice.message(mark.room, mark.content, mark.key);
    const settings = rooms.ensure(mark.room);
    const language = rooms.language(mark.room);
    if (mark.kind === 'widget') return voice.widget(mark.room, this.#options.calls.inRoom(mark.room) === undefined ? undefined : settings.slug, language);
    const call = this.#options.calls.find(mark.callId);
    if (call === undefined) return Promise.resolve({ kind: 'refused', forbidden: false, detail: 'the call is not in the store' });
    const notice = {
      room: call.room,
      callId: call.id,
      slug: call.slug,
      state: call.owner !== undefined ? ('moved' as const) : call.endedAtMs === undefined ? ('open' as const) : ('ended' as const),
      movedTo: call.owner,
      continued: call.term > 0,
      startedBy: call.startedBy,
      startedAtMs: call.startedAtMs,
      endedAtMs: call.endedAtMs,
      people: peopleByOrganisation(call),
      pages: call.endedAtMs === undefined ? this.#options.pagesOf(call.room) : [],
      impaired: [...call.impaired],
      widgetSet: settings.widget !== 'forbidden',
      language,
    };
    const txnId = call.noticeId === undefined ? `${call.id}.notice` : `${call.id}.notice.${call.noticeRevision}`;
    return voice.notice(notice, call.noticeId, txnId);
  }

  async #settle(row: OutboxRow, delivery: Delivery): Promise<void> {
    const { outbox, clock, log, calls, noticeIntervalMs } = this.#options;
    const { mark } = row;
    if (delivery.kind === 'later') {
      const waitMs = delivery.retryAfterMs ?? Math.min(backOffMs.longest, backOffMs.first * 2 ** row.attempts);
      const dueAtMs = clock.nowMs() + waitMs;
      this.#notBeforeMs.set(mark.room, dueAtMs);
      outbox.retry(row, dueAtMs);
      log.warn('delivery postponed', { key: mark.key, room: mark.room, waitMs, detail: delivery.detail });
      return;
    }
    // A bot without the power to set widgets is ordinary: the notice says so.
    if (delivery.kind === 'refused') log[mark.kind === 'widget' && delivery.forbidden ? 'info' : 'warn']('delivery refused', { key: mark.key, room: mark.room, detail: delivery.detail });
    if (mark.kind === 'widget') this.#widgetSettled(mark.room, delivery);
    if (mark.kind === 'notice') {
      this.#notBeforeMs.set(mark.key, clock.nowMs() + noticeIntervalMs);
      if (delivery.kind === 'sent' && delivery.eventId !== undefined && calls.find(mark.callId)?.noticeId === undefined) await calls.noticePosted(mark.callId, delivery.eventId);
    }
    outbox.done(row);
  }

  #widgetSettled(room: RoomId, delivery: Delivery): void {
    const { rooms, calls } = this.#options;
    if (calls.inRoom(room) === undefined) return;
    const before = rooms.ensure(room).widget;
    const now = delivery.kind === 'sent' ? 'set' : 'forbidden';
    if (before === now) return;
    rooms.setWidget(room, now);
    // The notice tells of a widget only when it could not be set.
    if (before === 'forbidden' || now === 'forbidden') calls.announceAgain(room);
  }

  #scheduleNext(nowMs: number): void {
    this.#cancelTimer();
    const { outbox, clock } = this.#options;
    const dueAtMs = outbox.nextDueAtMs();
    // Rows that are due but wait for their busy room are woken by its delivery.
    if (dueAtMs === undefined || (dueAtMs <= nowMs && this.#busyRooms.size > 0)) return;
    this.#cancelTimer = clock.after(Math.max(5, dueAtMs - nowMs), () => {
      this.wake();
    });
  }
}
