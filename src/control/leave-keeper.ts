// Owns the leave events that clients hand to us: put off while their person is connected, sent when the connection is over (MSC4140, MSC4195).
import { callError, type CallError } from '../call/errors.ts';
import type { RoomId } from '../call/ids.ts';
import type { Participant } from '../call/participant.ts';
import type { Logger } from '../log/logger.ts';
import { asError, background } from '../util/background.ts';
import { err, ok, type Result } from '../util/result.ts';
import { nobodyWatches, type CallWatcher } from './call-watcher.ts';
import type { Clock } from './ports/clock.ts';
import type { DelayedLeaveAnswer, DelayedLeaves } from './ports/delayed-leaves.ts';
import type { HandedLeave, LeaveStore } from './ports/leave-store.ts';
import type { ParticipantsChange } from './ports/session.ts';

export interface LeaveKeeperOptions {
  readonly leaves: DelayedLeaves;
  readonly store: LeaveStore;
  /** Who is in the room's call. */
  readonly peopleIn: (room: RoomId) => Iterable<Participant>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A shorter delay would end while our homeserver is away for a moment. */
const shortestDelayMs = 120_000;
/** Put off after that part of the delay: what is left bears a homeserver that is away. */
const putOffShare = 0.6;
/** One request for a person in that time, however their connection flaps. */
const betweenRequestsMs = 30_000;
/** Clients that lost the connection are back by then, or not at all. */
const graceMs = 10_000;
/** The same, of people whose bridge has started again. */
const restartGraceMs = 45_000;
const retryMs = { first: 2000, longest: 60_000 };

interface Kept {
  readonly leave: HandedLeave;
  /** Since when the homeserver counts the delay. */
  countsSinceMs: number;
  isConnected: boolean;
  failures: number;
  cancel: () => void;
}

export class LeaveKeeper {
  readonly #options: LeaveKeeperOptions;
  readonly #kept = new Map<string, Kept>();

  constructor(options: LeaveKeeperOptions) {
    this.#options = options;
  }

  /** What the calls tell. */
  get watcher(): CallWatcher {
    return { ...nobodyWatches, changed: ({ call }, change) => this.changed(call.room, change) };
  }

  changed(room: RoomId, { changed, left }: Pick<ParticipantsChange, 'changed' | 'left'>): void {
    for (const { via, identity } of [...changed, ...left.map(({ participant }) => participant)]) if (via === undefined) this.#look(room, identity);
  }

  /** Takes up what an earlier process kept. The returned function lets go of everything; the store has it. */
  start(): () => void {
    for (const leave of this.#options.store.all()) {
      const kept = this.#add(leave, this.#options.clock.nowMs());
      this.#after(kept, restartGraceMs, () => (kept.isConnected ? this.#putOff(kept) : this.#send(kept)));
    }
    return () => {
      for (const { cancel } of this.#kept.values()) cancel();
      this.#kept.clear();
    };
  }

  /** Takes the place of what the same session handed over before. Refused: badRequest (the delay is too short). */
  keep(leave: HandedLeave): Result<undefined, CallError> {
    const { store, clock, log } = this.#options;
    if (leave.delayMs < shortestDelayMs) return err(callError('badRequest', `delay_timeout: a leave that is handed over has a delay of ${shortestDelayMs} ms at least`));
    store.put(leave);
    this.#kept.get(keyOf(leave))?.cancel();
    const kept = this.#add(leave, clock.nowMs());
    log.debug('leave taken over', { room: leave.room, connected: kept.isConnected });
    if (kept.isConnected) this.#putOffInTime(kept);
    // Whoever never connects has left when the delay ends: the homeserver sees to that.
    else this.#after(kept, leave.delayMs, () => this.#forget(kept));
    return ok(undefined);
  }

  #add(leave: HandedLeave, countsSinceMs: number): Kept {
    const kept: Kept = { leave, countsSinceMs, isConnected: this.#isThere(leave), failures: 0, cancel: () => undefined };
    this.#kept.set(keyOf(leave), kept);
    return kept;
  }

  /** Something has changed about a session of this identity. */
  #look(room: RoomId, identity: string): void {
    const kept = this.#kept.get(keyOf({ room, identity }));
    if (kept === undefined) return;
    const isThere = this.#isThere(kept.leave);
    if (isThere === kept.isConnected) return;
    kept.isConnected = isThere;
    kept.failures = 0;
    if (isThere) this.#after(kept, Math.max(0, kept.countsSinceMs + betweenRequestsMs - this.#options.clock.nowMs()), () => this.#putOff(kept));
    else this.#after(kept, graceMs, () => this.#send(kept));
  }

  #isThere({ room, identity }: Pick<HandedLeave, 'room' | 'identity'>): boolean {
    return [...this.#options.peopleIn(room)].some((participant) => participant.via === undefined && participant.identity === identity && participant.state !== 'lost');
  }

  #putOffInTime(kept: Kept): void {
    this.#after(kept, Math.max(0, kept.countsSinceMs + kept.leave.delayMs * putOffShare - this.#options.clock.nowMs()), () => this.#putOff(kept));
  }

  async #putOff(kept: Kept): Promise<void> {
    const askedAtMs = this.#options.clock.nowMs();
    const answer = await this.#ask(() => this.#options.leaves.putOff(kept.leave.delayId));
    if (!this.#isKept(kept) || !kept.isConnected) return;
    if (answer.kind === 'later') {
      this.#again(kept, answer, () => this.#putOff(kept));
    } else if (answer.kind === 'gone') {
      // Nobody is put out of the call for it: what the room says is between the client and its homeserver.
      this.#options.log.info('a leave that was handed over is gone', { room: kept.leave.room });
      this.#forget(kept);
    } else {
      kept.failures = 0;
      kept.countsSinceMs = askedAtMs;
      this.#putOffInTime(kept);
    }
  }

  async #send(kept: Kept): Promise<void> {
    const { leaves, log, clock } = this.#options;
    const answer = await this.#ask(() => leaves.send(kept.leave.delayId));
    if (!this.#isKept(kept) || kept.isConnected) return;
    // The homeserver itself has sent it by then.
    const isOver = clock.nowMs() >= kept.countsSinceMs + kept.leave.delayMs;
    if (answer.kind === 'later' && !isOver) {
      this.#again(kept, answer, () => this.#send(kept));
      return;
    }
    log.info('leave sent for somebody whose connection is over', { room: kept.leave.room, answer: answer.kind });
    this.#forget(kept);
  }

  async #ask(request: () => Promise<DelayedLeaveAnswer>): Promise<DelayedLeaveAnswer> {
    try {
      return await request();
    } catch (error) {
      return { kind: 'later', retryAfterMs: undefined, detail: asError(error).message };
    }
  }

  #again(kept: Kept, { retryAfterMs, detail }: DelayedLeaveAnswer & { readonly kind: 'later' }, attempt: () => Promise<void>): void {
    const waitMs = retryAfterMs ?? Math.min(retryMs.longest, retryMs.first * 2 ** kept.failures);
    kept.failures += 1;
    this.#options.log.warn('homeserver does not take a request about a leave', { room: kept.leave.room, waitMs, detail });
    this.#after(kept, waitMs, attempt);
  }

  #after(kept: Kept, delayMs: number, run: () => Promise<void> | void): void {
    kept.cancel();
    kept.cancel = this.#options.clock.after(delayMs, () => {
      background(this.#options.log, 'keep a leave', Promise.resolve(run()));
    });
  }

  #isKept(kept: Kept): boolean {
    return this.#kept.get(keyOf(kept.leave)) === kept;
  }

  #forget(kept: Kept): void {
    if (!this.#isKept(kept)) return;
    kept.cancel();
    this.#kept.delete(keyOf(kept.leave));
    this.#options.store.remove(kept.leave);
  }
}

function keyOf({ room, identity }: Pick<HandedLeave, 'room' | 'identity'>): string {
  return `${room} ${identity}`;
}
