// Owns one call's media: the routers that it has, one for each worker that it needs, and how they make one call.
import type { MediaKind, RtpCapabilities } from 'mediasoup/types';
import type { CallId, ParticipantId, ServerName, TrackId } from '../call/ids.ts';
import type { CallMedia, CallMediaListener, EndpointListener, MediaEndpoint, MediaPipe } from '../control/ports/media-plane.ts';
import type { Logger } from '../log/logger.ts';
import { asError } from '../util/background.ts';
import { CallRouter, type CallRouterListener, type CallRouterOptions } from './call-router.ts';
import type { Far } from './published-tracks.ts';
import { WorkerPipes } from './worker-pipes.ts';
import type { MediaWorker, WorkerPool } from './worker-pool.ts';

export interface CallMediaOptions extends Omit<CallRouterOptions, 'worker' | 'listener'> {
  readonly callId: CallId;
  readonly pool: Pick<WorkerPool, 'leastLoaded' | 'next'>;
  readonly listener: CallMediaListener;
  /** Called once, when it is closed for whatever reason. */
  readonly closed: () => void;
  readonly log: Logger;
}

export class WorkersCallMedia implements CallMedia {
  readonly #options: CallMediaOptions;
  readonly #pipes: WorkerPipes;
  readonly #neighbours = new Map<ServerName, ReadonlyMap<TrackId, MediaKind>>();
  /** The first is where the pipes to neighbours end. */
  #routers: readonly CallRouter[] = [];
  #growing: Promise<void> | undefined;
  #closed = false;

  private constructor(options: CallMediaOptions) {
    this.#options = options;
    this.#pipes = new WorkerPipes(options.log);
  }

  /** @throws when no worker is left */
  static async create(options: CallMediaOptions): Promise<WorkersCallMedia> {
    const media = new WorkersCallMedia(options);
    await media.#add(options.pool.leastLoaded());
    return media;
  }

  get rtpCapabilities(): RtpCapabilities {
    return this.#home.rtpCapabilities;
  }

  async endpoint(id: ParticipantId, listener: EndpointListener): Promise<MediaEndpoint> {
    return (await this.#place()).endpoint(id, listener);
  }

  expect(peer: ServerName, tracks: ReadonlyMap<TrackId, MediaKind>): void {
    const taken = new Set(this.#routers.flatMap((router) => [...router.ownTracks().keys()]));
    const free = new Map([...tracks].filter(([track]) => !taken.has(track)));
    this.#neighbours.set(peer, free);
    this.#home.expect(neighbour(peer), free);
    this.#introduce();
  }

  async pipe(peer: ServerName): Promise<MediaPipe> {
    return this.#home.pipe(neighbour(peer));
  }

  /** Brings the traffic meter up to date. */
  async readTraffic(): Promise<void> {
    await Promise.all(this.#routers.map((router) => router.readTraffic()));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const router of this.#routers) router.close();
    this.#options.closed();
  }

  get #home(): CallRouter {
    const [home] = this.#routers;
    if (home === undefined) throw new Error(`the media of call ${this.#options.callId} has no router`);
    return home;
  }

  /** Where the next session goes: to the worker of the call that does least, or to one more when that is full. */
  async #place(): Promise<CallRouter> {
    await this.#growing;
    const worker = this.#options.pool.next(this.#byRoom().map((router) => router.worker));
    if (worker !== undefined && !this.#closed) {
      this.#growing ??= this.#grow(worker);
      await this.#growing;
    }
    return this.#byRoom()[0] ?? this.#home;
  }

  async #grow(worker: MediaWorker): Promise<void> {
    const { callId, log } = this.#options;
    try {
      await this.#add(worker);
      log.info('call grows on another worker', { call: callId, workers: this.#routers.length });
    } catch (error) {
      log.warn('call cannot grow on another worker', { call: callId, error: asError(error) });
    } finally {
      this.#growing = undefined;
    }
  }

  #byRoom(): readonly CallRouter[] {
    return this.#routers.toSorted((a, b) => a.worker.consumers - b.worker.consumers || a.endpoints - b.endpoints);
  }

  async #add(worker: MediaWorker): Promise<void> {
    const { listener, ...options } = this.#options;
    const each: CallRouterListener = {
      speakersChanged: () => listener.speakersChanged(this.#routers.flatMap(({ speakers }) => speakers).toSorted((a, b) => b.level - a.level)),
      demandChanged: (far, track, demand) => {
        if (far.kind === 'neighbour') listener.demandChanged(track, demand);
        else this.#pipes.demand(this.#routerOf(far), router, track, demand);
      },
      tracksChanged: () => this.#introduce(),
      arrived: (far, track) => {
        if (far.kind === 'worker') this.#pipes.arrived(router, this.#routerOf(far), track);
      },
      lost: () => {
        this.close();
        listener.mediaLost();
      },
    };
    const router = await CallRouter.create({ ...options, worker, listener: each });
    if (this.#closed) {
      router.close();
      return;
    }
    this.#routers = [...this.#routers, router];
    this.#introduce();
  }

  /** Each router knows what the others have: their people's tracks, and the first one's also those of neighbours. */
  #introduce(): void {
    for (const to of this.#routers) {
      for (const from of this.#routers) {
        if (from === to) continue;
        const far = from === this.#home ? [...this.#neighbours.values()].flatMap((tracks) => [...tracks]) : [];
        to.expect(from.far, new Map([...from.ownTracks(), ...far]));
      }
    }
  }

  #routerOf({ name }: Far): CallRouter {
    return this.#routers.find(({ far }) => far.name === name) ?? this.#home;
  }
}

function neighbour(name: ServerName): Far {
  return { kind: 'neighbour', name };
}
