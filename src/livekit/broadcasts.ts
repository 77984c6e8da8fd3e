// Owns what one client was told of the others' speaking and connections and of the room, so that only changes are sent.
import { ConnectionQualityInfo, ConnectionQualityUpdate, RoomUpdate, SpeakerInfo, SpeakersChanged } from '@livekit/protocol';
import type { CallId, ParticipantId } from '../call/ids.ts';
import type { Clock } from '../control/ports/clock.ts';
import type { SpeakerLevel } from '../control/ports/media-plane.ts';
import type { ConnectionQuality } from '../control/ports/session.ts';
import type { Send } from './signal-socket.ts';
import { toQuality, toRoom } from './wire-out.ts';

export interface BroadcastsOptions {
  readonly call: { readonly callId: CallId; readonly startedAtMs: number };
  readonly count: number;
  readonly send: Send;
  readonly clock: Clock;
}

/** Arrivals that come together are told together. */
const roomUpdateDelayMs = 300;

export class Broadcasts {
  readonly #options: BroadcastsOptions;
  readonly #qualities = new Map<ParticipantId, ConnectionQuality['level']>();
  #speakers: readonly SpeakerLevel[] = [];
  #count: number;
  #toldCount: number;
  #cancelRoomUpdate: (() => void) | undefined;

  constructor(options: BroadcastsOptions) {
    this.#options = options;
    this.#count = options.count;
    this.#toldCount = options.count;
  }

  /** Everybody who speaks now. Who has stopped is told once, with active = false. */
  speakers(now: readonly SpeakerLevel[]): void {
    const changed = now.filter(({ participant, level }) => !this.#speakers.some((before) => before.participant === participant && before.level === level));
    const stopped = this.#speakers.filter(({ participant }) => !now.some((speaker) => speaker.participant === participant));
    this.#speakers = now;
    if (changed.length + stopped.length === 0) return;
    this.#options.send({
      case: 'speakersChanged',
      value: new SpeakersChanged({
        speakers: [
          ...changed.map(({ participant, level }) => new SpeakerInfo({ sid: participant, level, active: true })),
          ...stopped.map(({ participant }) => new SpeakerInfo({ sid: participant, level: 0, active: false })),
        ],
      }),
    });
  }

  quality(quality: ConnectionQuality): void {
    if (this.#qualities.get(quality.participant) === quality.level) return;
    this.#qualities.set(quality.participant, quality.level);
    const info = new ConnectionQualityInfo({ participantSid: quality.participant, quality: toQuality(quality), score: quality.score });
    this.#options.send({ case: 'connectionQuality', value: new ConnectionQualityUpdate({ updates: [info] }) });
  }

  /** People in the call. */
  count(count: number): void {
    this.#count = count;
    if (count === this.#toldCount || this.#cancelRoomUpdate !== undefined) return;
    this.#cancelRoomUpdate = this.#options.clock.after(roomUpdateDelayMs, () => {
      this.#cancelRoomUpdate = undefined;
      if (this.#count === this.#toldCount) return;
      this.#toldCount = this.#count;
      this.#options.send({ case: 'roomUpdate', value: new RoomUpdate({ room: toRoom(this.#options.call, this.#count) }) });
    });
  }

  forget(participant: ParticipantId): void {
    this.#qualities.delete(participant);
  }

  close(): void {
    this.#cancelRoomUpdate?.();
  }
}
