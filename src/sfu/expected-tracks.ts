// Owns the tracks that come to one worker of a call through pipes: who here asks for them, and what that adds up to.
import type { MediaKind } from 'mediasoup/types';
import type { TrackId } from '../call/ids.ts';
import type { TrackDemand } from '../control/ports/media-plane.ts';
import type { Far } from './published-tracks.ts';

/** Whoever may want such tracks: sessions, and pipes that carry them on. */
export interface Asker {
  trackAvailable(track: TrackId): void;
}

interface Ask {
  readonly paused: boolean;
  readonly layer: number;
}

interface Expected {
  readonly far: Far;
  readonly kind: MediaKind;
  readonly asks: Map<Asker, Ask>;
  told: TrackDemand | undefined;
}

/** docs/protocol/cascade.md §2.6: what somebody wants who has not said how large the picture is. */
export const topLayer = 2;

export class ExpectedTracks {
  readonly #demandChanged: (far: Far, track: TrackId, demand: TrackDemand | undefined) => void;
  readonly #tracks = new Map<TrackId, Expected>();
  readonly #unsettled = new Set<TrackId>();

  constructor(demandChanged: (far: Far, track: TrackId, demand: TrackDemand | undefined) => void) {
    this.#demandChanged = demandChanged;
  }

  /** What this side has from now on; tracks of others stay theirs. */
  replace(far: Far, tracks: ReadonlyMap<TrackId, MediaKind>): { readonly over: readonly TrackId[]; readonly added: readonly TrackId[] } {
    const over = [...this.#tracks].filter(([track, { far: { name }, kind }]) => name === far.name && tracks.get(track) !== kind).map(([track]) => track);
    for (const track of over) this.#tracks.delete(track);
    const added = [...tracks].filter(([track]) => !this.#tracks.has(track));
    for (const [track, kind] of added) this.#tracks.set(track, { far, kind, asks: new Map(), told: undefined });
    return { over, added: added.map(([track]) => track) };
  }

  /** What is wanted of this side is told again: it starts anew. */
  retell(far: Far): void {
    for (const [track, expected] of this.#tracks) {
      if (expected.far.name !== far.name) continue;
      expected.told = undefined;
      this.#settle(track);
    }
  }

  /** undefined: it is not this side's. */
  kindOf(track: TrackId, far: Far): MediaKind | undefined {
    const expected = this.#tracks.get(track);
    return expected?.far.name === far.name ? expected.kind : undefined;
  }

  /** Which kind of pipe it comes through; undefined: none. */
  wayOf(track: TrackId): Far['kind'] | undefined {
    return this.#tracks.get(track)?.far.kind;
  }

  /** Wants it, at its best until told otherwise. Nothing happens if nobody beyond a pipe has it, or it was asked for before. */
  ask(track: TrackId, asker: Asker): void {
    const asks = this.#tracks.get(track)?.asks;
    if (asks === undefined || asks.has(asker)) return;
    asks.set(asker, { paused: false, layer: topLayer });
    this.#settle(track);
  }

  adjust(track: TrackId, asker: Asker, change: Partial<Ask>): void {
    const asks = this.#tracks.get(track)?.asks;
    const ask = asks?.get(asker);
    if (asks === undefined || ask === undefined) return;
    asks.set(asker, { ...ask, ...change });
    this.#settle(track);
  }

  withdraw(track: TrackId, asker: Asker): void {
    if (this.#tracks.get(track)?.asks.delete(asker) === true) this.#settle(track);
  }

  withdrawAll(asker: Asker): void {
    for (const track of this.#tracks.keys()) this.withdraw(track, asker);
  }

  /** Paused or not. */
  isAskedFor(track: TrackId, asker?: Asker): boolean {
    const asks = this.#tracks.get(track)?.asks;
    if (asks === undefined) return false;
    return asker === undefined ? asks.size > 0 : asks.has(asker);
  }

  tellArrived(track: TrackId): void {
    for (const asker of [...this.#tracks.get(track)?.asks.keys() ?? []]) asker.trackAvailable(track);
  }

  close(): void {
    this.#tracks.clear();
  }

  /** Told once per turn: who asks and says at once that a small picture is enough has one wish, not two. */
  #settle(track: TrackId): void {
    if (this.#unsettled.has(track)) return;
    this.#unsettled.add(track);
    setImmediate(() => {
      this.#unsettled.delete(track);
      const expected = this.#tracks.get(track);
      if (expected === undefined) return;
      const demand = demandOf(expected);
      if (demand?.layer === expected.told?.layer && (demand === undefined) === (expected.told === undefined)) return;
      expected.told = demand;
      this.#demandChanged(expected.far, track, demand);
    });
  }
}

function demandOf({ kind, asks }: Expected): TrackDemand | undefined {
  const layers = [...asks.values()].flatMap(({ paused, layer }) => (paused ? [] : [layer]));
  if (layers.length === 0) return undefined;
  return { layer: kind === 'audio' ? undefined : Math.min(topLayer, Math.max(...layers)) };
}
