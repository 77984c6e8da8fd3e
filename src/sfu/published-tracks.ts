// Owns which producer belongs to which track within one call, and who sent it.
import type { Producer } from 'mediasoup/types';
import type { ParticipantId, TrackId } from '../call/ids.ts';

export interface PublishedTrack {
  /** undefined: it came from a neighbour, who hears and tells what its people say. */
  readonly owner: ParticipantId | undefined;
  readonly producer: Producer;
  /** Called when somebody receives it for the first time. */
  readonly consumed: () => void;
}

export class PublishedTracks {
  readonly #tracks = new Map<TrackId, PublishedTrack>();
  readonly #consumed = new Set<TrackId>();
  readonly #owners = new Map<string, ParticipantId>();

  get(track: TrackId): PublishedTrack | undefined {
    return this.#tracks.get(track);
  }

  add(track: TrackId, published: PublishedTrack): void {
    this.#tracks.set(track, published);
    if (published.owner !== undefined) this.#owners.set(published.producer.id, published.owner);
  }

  remove(track: TrackId): void {
    const published = this.#tracks.get(track);
    if (published === undefined) return;
    this.#tracks.delete(track);
    this.#consumed.delete(track);
    this.#owners.delete(published.producer.id);
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
