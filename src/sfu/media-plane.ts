// Owns the media of all calls on this machine: the port MediaPlane on mediasoup.
import type { CallId } from '../call/ids.ts';
import type { CallMedia, CallMediaListener, MediaPlane, MediaSnapshot } from '../control/ports/media-plane.ts';
import type { Logger } from '../log/logger.ts';
import { WorkersCallMedia } from './call-media.ts';
import type { PipeSettings } from './pipe.ts';
import { TrafficMeter } from './traffic.ts';
import type { TransportSettings } from './transports.ts';
import { WorkerPool, type WorkerPoolOptions } from './worker-pool.ts';

export type MediaPlaneOptions = WorkerPoolOptions & TransportSettings & {
  /** Where media of shared calls crosses; undefined: it does not. */
  readonly pipes?: PipeSettings | undefined;
  readonly log: Logger;
};

/** Post of close: every call's media is closed and every worker process is gone. */
export type ClosableMediaPlane = MediaPlane & { close(): Promise<void> };

/** @throws when a worker cannot start or a port is taken, in words for the operator */
export async function createMediaPlane(options: MediaPlaneOptions): Promise<ClosableMediaPlane> {
  return new MediasoupPlane(options, await WorkerPool.start(options));
}

class MediasoupPlane implements ClosableMediaPlane {
  readonly #options: MediaPlaneOptions;
  readonly #pool: WorkerPool;
  readonly #meter = new TrafficMeter();
  readonly #calls = new Map<CallId, Promise<WorkersCallMedia>>();
  readonly #live = new Set<WorkersCallMedia>();

  constructor(options: MediaPlaneOptions, pool: WorkerPool) {
    this.#options = options;
    this.#pool = pool;
  }

  async open(callId: CallId, listener: CallMediaListener): Promise<CallMedia> {
    const known = this.#calls.get(callId);
    if (known !== undefined) return await known;
    const opening = this.#create(callId, listener);
    this.#calls.set(callId, opening);
    try {
      return await opening;
    } catch (error) {
      if (this.#calls.get(callId) === opening) this.#calls.delete(callId);
      throw error;
    }
  }

  async snapshot(): Promise<MediaSnapshot> {
    const [workers] = await Promise.all([this.#pool.status(), ...[...this.#live].map(async (call) => {
      await call.readTraffic();
    })]);
    const { received, sent } = this.#meter.total();
    return { workers, bytesReceived: received, bytesSent: sent };
  }

  async close(): Promise<void> {
    for (const call of [...this.#live]) call.close();
    await this.#pool.close();
  }

  async #create(callId: CallId, listener: CallMediaListener): Promise<WorkersCallMedia> {
    const media = await WorkersCallMedia.create({
      callId,
      pool: this.#pool,
      transports: this.#options,
      pipes: this.#options.pipes,
      meter: this.#meter,
      listener,
      closed: () => {
        this.#calls.delete(callId);
        this.#live.delete(media);
      },
      log: this.#options.log.child({ call: callId }),
    });
    this.#live.add(media);
    return media;
  }
}
