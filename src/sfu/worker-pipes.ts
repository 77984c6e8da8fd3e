// Owns what flows between the routers of one call: a track goes to another worker while somebody there wants it.
import type { TrackId } from '../call/ids.ts';
import type { TrackDemand } from '../control/ports/media-plane.ts';
import type { Logger } from '../log/logger.ts';
import { asError } from '../util/background.ts';
import type { CallRouter } from './call-router.ts';
import type { Pipe } from './pipe.ts';

interface Way {
  readonly from: CallRouter;
  readonly to: CallRouter;
  readonly demands: Map<TrackId, TrackDemand>;
  /** One change after the other. */
  work: Promise<void>;
}

export class WorkerPipes {
  readonly #log: Logger;
  readonly #ways = new Map<string, Way>();
  readonly #pairs = new Map<string, Promise<ReadonlyMap<CallRouter, Pipe>>>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** What people at `to` want of a track that `from` has or is about to have; undefined: nobody does any more. */
  demand(from: CallRouter, to: CallRouter, track: TrackId, demand: TrackDemand | undefined): void {
    const way = this.#way(from, to);
    if (demand === undefined) way.demands.delete(track);
    else way.demands.set(track, demand);
    this.#settle(way, track);
  }

  /** A track has come to `from`, or come anew. */
  arrived(from: CallRouter, to: CallRouter, track: TrackId): void {
    this.#settle(this.#way(from, to), track);
  }

  #settle(way: Way, track: TrackId): void {
    way.work = way.work.then(() => this.#carry(way, track)).catch((error: unknown) => {
      if (way.from.closed || way.to.closed) return;
      this.#log.error('a track does not reach another worker', { from: way.from.far.name, to: way.to.far.name, track, error: asError(error) });
    });
  }

  async #carry({ from, to, demands }: Way, track: TrackId): Promise<void> {
    const ends = await this.#connected(from, to);
    const [out, into] = [ends.get(from), ends.get(to)];
    if (out === undefined || into === undefined) throw new Error(`no pipe between ${from.far.name} and ${to.far.name}`);
    const demand = demands.get(track);
    if (demand === undefined) {
      out.stopSending(track);
      into.stopReceiving(track);
      return;
    }
    const offer = await out.send(track, demand.layer);
    if (offer !== undefined && into.expects(track)) await into.receive(track, offer);
  }

  #way(from: CallRouter, to: CallRouter): Way {
    const key = `${from.far.name} ${to.far.name}`;
    const known = this.#ways.get(key);
    if (known !== undefined) return known;
    const way: Way = { from, to, demands: new Map(), work: Promise.resolve() };
    this.#ways.set(key, way);
    return way;
  }

  /** The two ends, connected. */
  #connected(from: CallRouter, to: CallRouter): Promise<ReadonlyMap<CallRouter, Pipe>> {
    const [one, other] = from.far.name < to.far.name ? [from, to] : [to, from];
    const key = `${one.far.name} ${other.far.name}`;
    const known = this.#pairs.get(key);
    if (known !== undefined) return known;
    const connecting = connect(one, other);
    this.#pairs.set(key, connecting);
    connecting.catch(() => this.#pairs.delete(key));
    return connecting;
  }
}

async function connect(one: CallRouter, other: CallRouter): Promise<ReadonlyMap<CallRouter, Pipe>> {
  const [a, b] = await Promise.all([one.pipe(other.far), other.pipe(one.far)]);
  await Promise.all([a.connect(b.local), b.connect(a.local)]);
  return new Map([[one, a], [other, b]]);
}
