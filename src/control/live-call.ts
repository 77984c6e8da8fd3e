// Owns one running call: its state, its sessions and its media. The only place that applies transition and its effects.
import type { Call, Transition } from '../call/call.ts';
import { nextDeadlineMs, transition } from '../call/transition.ts';
import type { CloseReason } from '../call/close-reason.ts';
import type { CallError } from '../call/errors.ts';
import type { ParticipantId, ServerName } from '../call/ids.ts';
import type { CallEffect, CallInput } from '../call/messages.ts';
import type { CallRules } from '../call/rules.ts';
import type { Logger } from '../log/logger.ts';
import { background } from '../util/background.ts';
import type { Result } from '../util/result.ts';
import type { CallWatcher } from './call-watcher.ts';
import { Mailbox } from './mailbox.ts';
import type { Clock } from './ports/clock.ts';
import type { CallMedia, MediaEndpoint, MediaPlane, SpeakerLevel } from './ports/media-plane.ts';
import type { ConnectionQuality, ParticipantsChange, SessionSink } from './ports/session.ts';
import type { CallStore, OutboxMark } from './ports/store.ts';
import { widgetMark } from './room-book.ts';

export interface LiveSession {
  readonly sink: SessionSink;
  readonly endpoint: MediaEndpoint;
}

export interface LiveCallContext {
  /** The server name that this bridge speaks for. */
  readonly server: ServerName;
  readonly store: CallStore;
  readonly media: MediaPlane;
  readonly clock: Clock;
  readonly rules: CallRules;
  readonly log: Logger;
  /** The outbox has something new. */
  readonly outboxMarked: () => void;
  readonly watcher: CallWatcher;
}

export class LiveCall {
  readonly #context: LiveCallContext;
  readonly #log: Logger;
  readonly #mailbox = new Mailbox();
  readonly #sessions = new Map<ParticipantId, LiveSession>();
  #call: Call;
  /** Who speaks, by the bridge that hears them; undefined stands for ours. */
  readonly #speakers = new Map<ServerName | undefined, readonly SpeakerLevel[]>();
  #media: Promise<CallMedia> | undefined;
  #cancelDeadline: () => void = () => undefined;
  #stopped = false;

  constructor(context: LiveCallContext, start: Transition) {
    this.#context = context;
    this.#call = start.call;
    this.#log = context.log.child({ call: start.call.id, room: start.call.room });
    this.#settle(start);
  }

  get call(): Call {
    return this.#call;
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** Applies one input, after those given before. `andThen` runs in the same step, after the effects. */
  apply(input: CallInput, andThen: (call: Call) => void = () => undefined): Promise<Result<Call, CallError>> {
    return this.#mailbox.run(() => {
      const result = transition(this.#call, input, this.#context.rules);
      if (!result.ok) return result;
      this.#call = result.value.call;
      this.#settle(result.value);
      andThen(this.#call);
      return { ok: true, value: this.#call };
    });
  }

  /** Call it within the step that adds the participant, so that no change is missed. */
  attach(id: ParticipantId, session: LiveSession): void {
    this.#sessions.set(id, session);
  }

  /** The session of this participant is over on its own account. */
  detach(id: ParticipantId): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    session.endpoint.close();
  }

  media(): Promise<CallMedia> {
    if (this.#media === undefined) {
      const opening = this.#context.media.open(this.#call.id, {
        speakersChanged: (speakers) => {
          this.tellSpeakers(undefined, speakers);
          this.#context.watcher.speakersChanged(this, speakers);
        },
        demandChanged: (track, demand) => {
          this.#context.watcher.demandChanged(this, track, demand);
        },
        mediaLost: () => {
          if (this.#media === opening) this.#media = undefined;
          this.#log.warn('media worker of the call lost', { people: this.#sessions.size });
          this.#context.watcher.mediaLost(this);
          background(this.#log, 'lose media', this.apply({ type: 'lose', reason: 'mediaLost', nowMs: this.#context.clock.nowMs() }));
        },
      });
      opening.catch(() => {
        if (this.#media === opening) this.#media = undefined;
      });
      this.#media = opening;
    }
    return this.#media;
  }

  /** `from`: the neighbour whose people they are; undefined: ours. */
  tellSpeakers(from: ServerName | undefined, speakers: readonly SpeakerLevel[]): void {
    this.#speakers.set(from, speakers);
    const all = [...this.#speakers.values()].flat().sort((a, b) => b.level - a.level);
    for (const { sink } of this.#sessions.values()) sink.speakersChanged(all);
  }

  tellQuality(quality: ConnectionQuality): void {
    for (const { sink } of this.#sessions.values()) sink.qualityChanged(quality);
  }

  /** Of a session of ours. */
  reportQuality(quality: ConnectionQuality): void {
    this.tellQuality(quality);
    this.#context.watcher.qualityChanged(this, quality);
  }

  /** Ends every session of this process and leaves the call in the store for the next one. Idempotent. */
  async stop(reason: CloseReason): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#cancelDeadline();
    await this.#mailbox.run(() => {
      for (const id of [...this.#sessions.keys()]) this.#closeSession(id, reason);
    });
    await this.#closeMedia();
  }

  #settle({ call, effects }: Transition): void {
    const marks = effects.flatMap((effect) => markOf(effect, call));
    if (marks.length > 0 || effects.some(({ type }) => type === 'persist')) {
      this.#context.store.save(call, marks.map((mark) => ({ mark, dueAtMs: this.#context.clock.nowMs() })));
    }
    for (const effect of effects) this.#perform(effect);
    if (marks.length > 0) this.#context.outboxMarked();
    this.#schedule();
    if (call.endedAtMs === undefined) return;
    this.#context.watcher.ended(this);
    background(this.#log, 'close media', this.#closeMedia());
  }

  #perform(effect: CallEffect): void {
    switch (effect.type) {
      case 'persist':
      case 'announce':
      case 'showWidget':
        return;
      case 'closeSession':
        this.#closeSession(effect.participant, effect.reason);
        return;
      case 'tellChanged':
        this.#tell({ changed: effect.participants.flatMap((id) => this.#call.participants.get(id) ?? []), left: [] });
        return;
      case 'tellLeft':
        this.#tell({ changed: [], left: effect.participants.map((participant) => ({ participant, reason: effect.reason })) });
        return;
      default:
        throw new Error(`unknown effect: ${JSON.stringify(effect satisfies never)}`);
    }
  }

  #tell(change: Omit<ParticipantsChange, 'count'>): void {
    const count = this.#call.participants.size;
    for (const { sink } of this.#sessions.values()) sink.participantsChanged({ ...change, count });
    this.#context.watcher.changed(this, change);
  }

  #closeSession(id: ParticipantId, reason: CloseReason): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    session.sink.close(reason);
    session.endpoint.close();
  }

  #schedule(): void {
    this.#cancelDeadline();
    const deadlineMs = this.#stopped ? undefined : nextDeadlineMs(this.#call, this.#context.rules);
    if (deadlineMs === undefined) return;
    const { clock } = this.#context;
    this.#cancelDeadline = clock.after(Math.max(0, deadlineMs - clock.nowMs()), () => {
      background(this.#log, 'tick', this.apply({ type: 'tick', nowMs: clock.nowMs() }));
    });
  }

  async #closeMedia(): Promise<void> {
    const media = this.#media;
    this.#media = undefined;
    if (media === undefined) return;
    const opened = await media.catch(() => undefined);
    opened?.close();
  }
}

/** What an effect leaves to be said in the room: by the owner's bridge, and by one that has spoken before, whose notice must not go stale. */
function markOf({ type }: CallEffect, { id, room, owner, noticeId }: Call): OutboxMark[] {
  if (owner !== undefined && (noticeId === undefined || type === 'showWidget')) return [];
  if (type === 'announce') return [{ kind: 'notice', key: `${id}.notice`, room, callId: id }];
  return type === 'showWidget' ? [widgetMark(room)] : [];
}
