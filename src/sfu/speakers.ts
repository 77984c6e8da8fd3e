// Owns the decision who speaks: from loudness per interval to a calm list that changes only when it must.
import type { ParticipantId } from '../call/ids.ts';
import type { SpeakerLevel } from '../control/ports/media-plane.ts';

export interface Loudness {
  readonly participant: ParticipantId;
  /** dBov, -127 (silence) … 0. */
  readonly volumeDb: number;
}

/** LiveKit's defaults: -35 dBov counts as speech, levels move over two intervals and are told in eighths. */
const speech = { thresholdDb: -35, weight: 2 / 3, steps: 8 };

export class SpeakerDetector {
  readonly #smoothed = new Map<ParticipantId, number>();
  #told: readonly SpeakerLevel[] = [];

  /** One interval of all who made a sound. Returns the new list, loudest first, or undefined when it is the one told before. */
  hear(heard: readonly Loudness[]): readonly SpeakerLevel[] | undefined {
    const loudest = new Map<ParticipantId, number>();
    for (const { participant, volumeDb } of heard) loudest.set(participant, Math.max(loudest.get(participant) ?? 0, amplitude(volumeDb)));
    for (const participant of new Set([...this.#smoothed.keys(), ...loudest.keys()])) {
      const before = this.#smoothed.get(participant) ?? 0;
      const level = before + (((loudest.get(participant) ?? 0) - before) * speech.weight);
      if (level < amplitude(speech.thresholdDb) / speech.steps) this.#smoothed.delete(participant);
      else this.#smoothed.set(participant, level);
    }
    return this.#tell();
  }

  /** They left or stopped sending sound. */
  forget(participant: ParticipantId): readonly SpeakerLevel[] | undefined {
    return this.#smoothed.delete(participant) ? this.#tell() : undefined;
  }

  get quiet(): boolean {
    return this.#smoothed.size === 0;
  }

  #tell(): readonly SpeakerLevel[] | undefined {
    const speakers = [...this.#smoothed]
      .filter(([, level]) => level >= amplitude(speech.thresholdDb))
      .map(([participant, level]) => ({ participant, level: Math.min(1, Math.ceil(level * speech.steps) / speech.steps) }))
      .sort((a, b) => b.level - a.level || (a.participant < b.participant ? -1 : 1));
    const same = speakers.length === this.#told.length && speakers.every(({ participant, level }, i) => this.#told[i]?.participant === participant && this.#told[i].level === level);
    if (same) return undefined;
    this.#told = speakers;
    return speakers;
  }
}

function amplitude(volumeDb: number): number {
  return 10 ** (volumeDb / 20);
}
