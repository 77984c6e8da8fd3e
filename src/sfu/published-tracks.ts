// Owns which producer belongs to which track on one worker of a call, and where it came from.
import type { MediaKind, Producer } from 'mediasoup/types';
import type { ParticipantId, TrackId } from '../call/ids.ts';

/** What lies behind a pipe: another worker's part of the same call, or a neighbour's call. */
export interface Far {
  readonly kind: 'worker' | 'neighbour';
  readonly name: string;
}

export interface PublishedTrack {
  /** What came through a pipe never goes on through a pipe of the same kind. */
  readonly from: 'people' | Far['kind'];
  /** Of a track from people here. */
  readonly owner: ParticipantId | undefined;
  readonly producer: Producer;
  /** Called when somebody receives it for the first time. */
  readonly consumed: () => void;
}

export class PublishedTracks {
  readonly #changed: () => void;
  readonly #tracks = new Map<TrackId, PublishedTrack>();
  readonly #consumed = new Set<TrackId>();
  readonly #owners = new Map<string, ParticipantId>();

  /** @param changed called when a track of people here has come or gone */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get(track: TrackId): PublishedTrack | undefined {
    return this.#tracks.get(track);
  }

  ofPeople(): ReadonlyMap<TrackId, MediaKind> {
    return new Map([...this.#tracks].flatMap(([track, { from, producer }]) => (from === 'people' ? [[track, producer.kind] as const] : [])));
  }

  add(track: TrackId, published: PublishedTrack): void {
    this.#tracks.set(track, published);
    if (published.owner !== undefined) this.#owners.set(published.producer.id, published.owner);
    if (published.from === 'people') this.#changed();
  }

  remove(track: TrackId): void {
    const published = this.#tracks.get(track);
    if (published === undefined) return;
    this.#tracks.delete(track);
    this.#consumed.delete(track);
    this.#owners.delete(published.producer.id);
    if (published.from === 'people') this.#changed();
  }

  ownerOf(producerId: string): ParticipantId | undefined {
    return this.#owners.get(producerId);
  }

  markConsumed(track: TrackId): void {
    const published = this.#tracks.get(track);
    if (published === undefined || this.#consumed.has(track)) return;
    this.#consumed.add(track);
    published.consumed();
  }
}
