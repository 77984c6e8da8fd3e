// Owns which calls run: at most one open call per room. Starts them, finds them, brings them back after a restart.
import { startCall, type Call } from '../call/call.ts';
import { transition } from '../call/transition.ts';
import { callError, type CallError } from '../call/errors.ts';
import { isCallId, parse, type CallId, type EventId, type RoomId, type UserId } from '../call/ids.ts';
import { compareClaims, type CallClaim } from '../call/peers.ts';
import { mayEnd, mayStart } from '../call/rules.ts';
import { background } from '../util/background.ts';
import { err, ok, type Result } from '../util/result.ts';
import { LiveCall, type LiveCallContext } from './live-call.ts';
import type { CloseReason } from '../call/close-reason.ts';
import type { Random } from './ports/clock.ts';
import type { RoomDirectory } from './ports/room-directory.ts';
import type { RoomBook } from './room-book.ts';

export interface StartRequest {
  readonly room: RoomId;
  readonly by: UserId;
  /** The command that asks for it; its repetition starts nothing. */
  readonly eventId: EventId | undefined;
}

/** A call as a neighbour tells of it; `owner` is the bridge that speaks for it. */
export interface PeerCall extends CallClaim {
  readonly room: RoomId;
}

export interface CallRegistryOptions {
  readonly context: LiveCallContext;
  readonly random: Random;
  readonly directory: RoomDirectory;
  readonly rooms: RoomBook;
}

export class CallRegistry {
  readonly #options: CallRegistryOptions;
  readonly #live = new Map<CallId, LiveCall>();
  #draining = false;

  constructor(options: CallRegistryOptions) {
    this.#options = options;
  }

  get draining(): boolean {
    return this.#draining;
  }

  open(): readonly LiveCall[] {
    return [...this.#live.values()].filter(({ call }) => call.endedAtMs === undefined);
  }

  inRoom(room: RoomId): LiveCall | undefined {
    return this.open().find(({ call }) => call.room === room);
  }

  byId(id: CallId): LiveCall | undefined {
    const live = this.#live.get(id);
    return live?.call.endedAtMs === undefined ? live : undefined;
  }

  /** The state of a call that runs or ended with something still to be said. */
  find(id: CallId): Call | undefined {
    return this.#live.get(id)?.call ?? this.#options.context.store.find(id);
  }

  /** The call that runs in the room, or a new one. Refused: draining, forbidden (not a member), startForbidden, homeserverUnavailable. */
  async start({ room, by, eventId }: StartRequest): Promise<Result<{ readonly live: LiveCall; readonly started: boolean }, CallError>> {
    const { context, directory } = this.#options;
    const running = this.inRoom(room);
    if (running !== undefined) return ok({ live: running, started: running.call.startEvent !== undefined && running.call.startEvent === eventId });
    if (this.#draining) return err(callError('draining', 'the bridge is stopping', 5000));
    const levels = await directory.powerLevels(room);
    if (!levels.ok) return levels;
    if (!mayStart(by, levels.value, context.rules)) return err(callError('startForbidden', `${by} needs power level ${context.rules.startLevel}`));
    const meanwhile = this.inRoom(room);
    if (meanwhile !== undefined) return ok({ live: meanwhile, started: false });
    return ok({ live: this.#begin({ room, startedBy: by, startEvent: eventId, startedAtMs: context.clock.nowMs(), owner: undefined }), started: true });
  }

  /** The call that a neighbour has in a room of ours: ours from now on too. Refused: draining. */
  async join({ room, startedBy, startedAtMs, owner, term }: PeerCall): Promise<Result<LiveCall, CallError>> {
    const { context } = this.#options;
    const running = this.inRoom(room);
    if (running !== undefined) {
      const ours = { ...running.call, owner: running.call.owner ?? context.server };
      if (compareClaims({ startedAtMs, startedBy, owner, term }, ours) < 0) await running.apply({ type: 'adopt', owner: owner === context.server ? undefined : owner, term, startedBy, startedAtMs });
      return ok(running);
    }
    if (this.#draining) return err(callError('draining', 'the bridge is stopping', 5000));
    const live = this.#begin({ room, startedBy, startEvent: undefined, startedAtMs, owner: owner === context.server ? undefined : owner });
    if (term > 0) await live.apply({ type: 'adopt', owner: live.call.owner, term, startedBy, startedAtMs });
    return ok(live);
  }

  /** Refused: callEnded (none runs), forbidden. */
  async end(room: RoomId, by: UserId): Promise<Result<undefined, CallError>> {
    const live = this.inRoom(room);
    if (live === undefined) return err(callError('callEnded', 'no call runs in this room'));
    const levels = await this.#options.directory.powerLevels(room);
    if (!levels.ok) return levels;
    if (!mayEnd(by, live.call, levels.value)) return err(callError('forbidden', `${by} neither started the call nor moderates the room`));
    this.#options.context.watcher.ending(live, by);
    return this.endNow(live, by);
  }

  async endNow(live: LiveCall, by: string): Promise<Result<undefined, CallError>> {
    const { context } = this.#options;
    const ended = await live.apply({ type: 'end', nowMs: context.clock.nowMs() });
    if (!ended.ok) return ended;
    context.log.info('call ended', { call: live.call.id, room: live.call.room, by });
    return ok(undefined);
  }

  async noticePosted(id: CallId, eventId: EventId): Promise<void> {
    const { store } = this.#options.context;
    const live = this.#live.get(id);
    if (live !== undefined) {
      await live.apply({ type: 'noticePosted', eventId });
      return;
    }
    const call = store.find(id);
    if (call !== undefined) store.save({ ...call, noticeId: eventId }, []);
  }

  /** What the notice of the room's call shows besides the call has changed. */
  announceAgain(room: RoomId): void {
    const live = this.inRoom(room);
    if (live !== undefined) background(this.#options.context.log, 'announce again', live.apply({ type: 'refreshNotice' }));
  }

  /** Calls of the process before: their people are awaited back for the grace period. Post: every open call of the store is live. */
  restore(): void {
    const { context } = this.#options;
    const nowMs = context.clock.nowMs();
    for (const stored of context.store.unfinished()) {
      if (stored.endedAtMs !== undefined) continue;
      const lost = transition(stored, { type: 'lose', reason: 'bridgeStopping', nowMs }, context.rules);
      if (!lost.ok) continue;
      const live = new LiveCall(context, lost.value);
      this.#live.set(stored.id, live);
      context.watcher.started(live);
      context.log.info('call restored', { call: stored.id, room: stored.room, awaited: stored.participants.size });
    }
  }

  /** From now on nothing starts and nobody joins; who is in stays. */
  drain(): void {
    this.#draining = true;
  }

  async stop(reason: CloseReason): Promise<void> {
    this.drain();
    await Promise.all([...this.#live.values()].map((live) => live.stop(reason)));
  }

  #begin(start: Pick<Call, 'room' | 'startedBy' | 'startEvent' | 'startedAtMs' | 'owner'>): LiveCall {
    const { context, rooms, random } = this.#options;
    const id = parse(isCallId, `C_${random.base32(20)}`, 'call id');
    const live = new LiveCall(context, startCall({ ...start, id, slug: rooms.ensure(start.room).slug, emptySinceMs: context.clock.nowMs() }));
    this.#forgetEnded();
    this.#live.set(id, live);
    context.log.info('call started', { call: id, room: start.room, by: start.startedBy, ...(start.owner !== undefined && { owner: start.owner }) });
    context.watcher.started(live);
    return live;
  }

  #forgetEnded(): void {
    for (const [id, { call }] of this.#live) if (call.endedAtMs !== undefined) this.#live.delete(id);
  }
}
