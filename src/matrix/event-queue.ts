// Owns the events between their arrival and their effect: each is saved before it is acknowledged, then worked through once, in order per room.
import type { EventId, RoomId } from '../call/ids.ts';
import type { Clock } from '../control/ports/clock.ts';
import type { EventInbox } from '../control/ports/store.ts';
import type { Logger } from '../log/logger.ts';
import { asError, background } from '../util/background.ts';
import { decodeEvent, type MatrixEvent } from './event-decoder.ts';
import { newRef } from './text.ts';

export interface EventQueueOptions {
  readonly inbox: EventInbox;
  readonly clock: Clock;
  readonly log: Logger;
  /** Must this event have its effect even after a crash? Others are only observed, and never stored. */
  readonly concerns: (event: MatrixEvent) => boolean;
  /** At once on arrival, before the acknowledgement: memory only, never throws; repeats are harmless. */
  readonly observe: (event: MatrixEvent) => void;
  /** One after another per room. `ageMs`: how long ago the event was sent, as far as known. 'later': kept, and handled again when the room is. */
  readonly handle: (event: MatrixEvent, ageMs: number) => Promise<'later' | undefined>;
}

const keepDoneMs = 7 * 24 * 3600 * 1000;
const pruneEveryMs = 6 * 3600 * 1000;

export class EventQueue {
  readonly #options: EventQueueOptions;
  /** Last piece of work per room; rooms without work have no entry. */
  readonly #tails = new Map<RoomId, Promise<void>>();
  /** What was put off, in order, per room. */
  readonly #aside = new Map<RoomId, { readonly event: MatrixEvent; readonly receivedAtMs: number }[]>();
  #state: 'idle' | 'running' | 'closed' = 'idle';
  #cancelPrune: () => void = () => undefined;

  constructor(options: EventQueueOptions) {
    this.#options = options;
  }

  /** Post: every event of concern is in the inbox. @throws if it could not be saved */
  accept(events: readonly unknown[]): void {
    if (this.#state === 'closed') throw new Error('the event queue is closed');
    const nowMs = this.#options.clock.nowMs();
    for (const raw of events) {
      const event = this.#decode(raw);
      if (event === undefined) continue;
      const isNew = this.#options.concerns(event) && this.#options.inbox.accept(event.eventId, nowMs, raw);
      this.#options.observe(event);
      if (isNew && this.#state === 'running') this.#enqueue(event, nowMs);
    }
  }

  /** Works through what an earlier process accepted and did not finish, then through what comes. */
  start(): void {
    if (this.#state !== 'idle') return;
    this.#state = 'running';
    const { inbox, log } = this.#options;
    const pending = inbox.pending();
    if (pending.length > 0) log.info('events left from before', { count: pending.length });
    for (const row of pending) {
      const event = this.#decode(row.event);
      if (event === undefined) inbox.done(row.eventId);
      else this.#enqueue(event, row.receivedAtMs);
    }
    this.#prune();
  }

  /** Handles again what was put off in this room, after what is under way. */
  again(room: RoomId): void {
    if (this.#state !== 'running') return;
    const aside = this.#aside.get(room) ?? [];
    this.#aside.delete(room);
    for (const { event, receivedAtMs } of aside) this.#enqueue(event, receivedAtMs);
  }

  /** Post: nothing runs. What was accepted and not begun stays for the next start. */
  async close(): Promise<void> {
    this.#state = 'closed';
    this.#cancelPrune();
    await Promise.all(this.#tails.values());
  }

  /** Waits until everything accepted so far is done. */
  async settled(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all(this.#tails.values());
  }

  #decode(raw: unknown): MatrixEvent | undefined {
    const decoded = decodeEvent(raw);
    if (decoded.ok) return decoded.value;
    this.#options.log.warn('malformed event dropped', { ref: decoded.error.ref, type: decoded.error.eventType, detail: decoded.error.detail });
    return undefined;
  }

  #enqueue(event: MatrixEvent, receivedAtMs: number): void {
    const before = this.#tails.get(event.room) ?? Promise.resolve();
    const tail = before.then(() => this.#work(event, receivedAtMs)).finally(() => {
      if (this.#tails.get(event.room) === tail) this.#tails.delete(event.room);
    });
    this.#tails.set(event.room, tail);
    background(this.#options.log, 'working through an event', tail);
  }

  /** Never rejects for what the handler throws: one poisonous event must not stop a room. */
  async #work(event: MatrixEvent, receivedAtMs: number): Promise<void> {
    if (this.#state === 'closed') return;
    const { clock, handle, inbox, log } = this.#options;
    const waitedMs = Math.max(0, clock.nowMs() - receivedAtMs);
    const ageMs = waitedMs + Math.max(0, event.ageMs ?? receivedAtMs - event.sentAtMs);
    try {
      const outcome = await handle(event, ageMs);
      if (outcome === 'later') {
        this.#aside.set(event.room, [...(this.#aside.get(event.room) ?? []), { event, receivedAtMs }]);
        return;
      }
    } catch (error) {
      if (this.#isClosed()) return;
      log.error('event could not be worked through', { ref: newRef(), event: event.eventId, room: event.room, type: event.type, error: asError(error) });
    }
    this.#done(event.eventId, inbox);
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #done(eventId: EventId, inbox: EventInbox): void {
    inbox.done(eventId);
  }

  #prune(): void {
    const { clock, inbox } = this.#options;
    inbox.prune(clock.nowMs() - keepDoneMs);
    this.#cancelPrune = clock.after(pruneEveryMs, () => this.#prune());
  }
}
