// Owns the mediasoup worker processes: their number, their ports, their replacement after a death, their end.
import { createWorker } from 'mediasoup';
import type { TransportListenInfo, WebRtcServer, Worker } from 'mediasoup/types';
import type { Logger } from '../log/logger.ts';
import { asError, background } from '../util/background.ts';

export interface WorkerPoolOptions {
  readonly workerBinary: string;
  readonly workers: number;
  readonly listenIp: string;
  /** What clients are told to connect to, when it differs from listenIp. */
  readonly announcedAddress: string | undefined;
  /** Worker i listens on firstPort + i, UDP and (with iceTcp) TCP. */
  readonly firstPort: number;
  readonly iceTcp: boolean;
  /** A call grows on another worker when its own sends that many streams; default 150: a third of what a core bears. */
  readonly fullAtConsumers?: number;
  readonly log: Logger;
}

export interface MediaWorker {
  readonly index: number;
  readonly worker: Worker;
  readonly server: WebRtcServer;
  /** Counted by who opens and closes them. */
  routers: number;
  /** Streams that it sends: what its work grows with. */
  consumers: number;
}

export interface WorkerStatus {
  readonly pid: number;
  readonly cpuRatio: number;
  readonly routers: number;
  readonly alive: boolean;
}

interface Slot {
  readonly index: number;
  readonly port: number;
  current: MediaWorker | undefined;
  lastPid: number;
  failures: number;
  startedAtMs: number;
  retry: NodeJS.Timeout | undefined;
  starting: Promise<void> | undefined;
  cpu: { readonly atMs: number; readonly usedMs: number };
}

const backOff = { firstMs: 500, mostMs: 30_000, stableAfterMs: 60_000 };
const exitTimeoutMs = 3_000;
const fullAtConsumers = 150;
/** Each worker more costs a copy of every stream that is watched there. */
const muchLess = 0.75;

export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #slots: readonly Slot[];
  #closing: Promise<void> | undefined;

  private constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#slots = Array.from({ length: options.workers }, (_, index) => ({
      index,
      port: options.firstPort + index,
      current: undefined,
      lastPid: 0,
      failures: 0,
      startedAtMs: 0,
      retry: undefined,
      starting: undefined,
      cpu: { atMs: 0, usedMs: 0 },
    }));
  }

  /** @throws when one worker cannot start or open its port; the others are gone then */
  static async start(options: WorkerPoolOptions): Promise<WorkerPool> {
    const pool = new WorkerPool(options);
    const started = await Promise.allSettled(pool.#slots.map((slot) => pool.#start(slot)));
    const failed = started.find((result) => result.status === 'rejected');
    if (failed !== undefined) {
      await pool.close();
      throw asError(failed.reason);
    }
    return pool;
  }

  /** @throws when no worker is alive */
  leastLoaded(): MediaWorker {
    const least = leastOf(this.#alive);
    if (least === undefined || this.#closing !== undefined) throw new Error('no media worker is alive');
    return least;
  }

  /** The next worker for a call that has these, the first of them with the most room; undefined: that one is not full, or no other is much better off. */
  next(taken: readonly MediaWorker[]): MediaWorker | undefined {
    const [roomiest] = taken;
    if (roomiest === undefined || roomiest.consumers < (this.#options.fullAtConsumers ?? fullAtConsumers)) return undefined;
    const least = leastOf(this.#alive.filter((worker) => !taken.includes(worker)));
    return least !== undefined && least.consumers <= roomiest.consumers * muchLess ? least : undefined;
  }

  get #alive(): readonly MediaWorker[] {
    return this.#slots.flatMap(({ current }) => current ?? []);
  }

  async status(): Promise<readonly WorkerStatus[]> {
    return await Promise.all(this.#slots.map((slot) => this.#statusOf(slot)));
  }

  /** Post: every worker process is gone. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    await Promise.all(this.#slots.map(async (slot) => {
      clearTimeout(slot.retry);
      // A start that is under way must end first, or its process would outlive us.
      await slot.starting?.catch(() => undefined);
      if (slot.current !== undefined) await endWorker(slot.current.worker, this.#options.log);
      slot.current = undefined;
    }));
  }

  async #start(slot: Slot): Promise<void> {
    slot.starting = this.#open(slot).finally(() => {
      slot.starting = undefined;
    });
    await slot.starting;
  }

  async #open(slot: Slot): Promise<void> {
    const { log } = this.#options;
    const worker = await startProcess(this.#options.workerBinary);
    worker.on('died', (error) => {
      log.error('media worker died', { worker: slot.index, pid: worker.pid, error });
      this.#replace(slot, worker);
    });
    const server = await this.#listen(slot, worker);
    if (worker.closed) throw new Error(`media worker ${slot.index} died while it started`);
    slot.current = counted({ index: slot.index, worker, server, routers: 0, consumers: 0 });
    slot.lastPid = worker.pid;
    slot.startedAtMs = Date.now();
    slot.cpu = { atMs: Date.now(), usedMs: 0 };
    log.debug('media worker started', { worker: slot.index, pid: worker.pid, port: slot.port });
  }

  async #listen(slot: Slot, worker: Worker): Promise<WebRtcServer> {
    const { listenIp, announcedAddress, iceTcp, log } = this.#options;
    const where = { ip: listenIp, port: slot.port, ...(announcedAddress !== undefined && { announcedAddress }) };
    const listenInfos: TransportListenInfo[] = [{ protocol: 'udp', ...where }, ...(iceTcp ? [{ protocol: 'tcp', ...where } as const] : [])];
    try {
      return await worker.createWebRtcServer({ listenInfos });
    } catch (error) {
      await endWorker(worker, log);
      const what = `media port ${slot.port} (${iceTcp ? 'UDP and TCP' : 'UDP'}) cannot be opened on ${listenIp}`;
      throw new Error(`${what}: ${asError(error).message}. Stop the program that uses it, or choose another first media port or listen address.`, { cause: error });
    }
  }

  #replace(slot: Slot, dead: Worker): void {
    if (slot.current?.worker !== dead || this.#closing !== undefined) return;
    slot.current = undefined;
    if (Date.now() - slot.startedAtMs > backOff.stableAfterMs) slot.failures = 0;
    this.#retry(slot);
  }

  #retry(slot: Slot): void {
    const delayMs = Math.min(backOff.firstMs * 2 ** slot.failures, backOff.mostMs);
    slot.failures += 1;
    slot.retry = setTimeout(() => {
      background(this.#options.log, 'replace a media worker', this.#start(slot).catch((error: unknown) => {
        this.#options.log.error('media worker cannot be replaced yet', { worker: slot.index, error: asError(error) });
        if (this.#closing === undefined) this.#retry(slot);
      }));
    }, delayMs);
  }

  async #statusOf(slot: Slot): Promise<WorkerStatus> {
    const { current } = slot;
    if (current === undefined) return { pid: slot.lastPid, cpuRatio: 0, routers: 0, alive: false };
    const usage = await current.worker.getResourceUsage().catch(() => undefined);
    if (usage === undefined) return { pid: current.worker.pid, cpuRatio: 0, routers: 0, alive: false };
    const now = { atMs: Date.now(), usedMs: usage.ru_utime + usage.ru_stime };
    const cpuRatio = (now.usedMs - slot.cpu.usedMs) / Math.max(1, now.atMs - slot.cpu.atMs);
    slot.cpu = now;
    return { pid: current.worker.pid, cpuRatio, routers: current.routers, alive: true };
  }
}

function leastOf(workers: readonly MediaWorker[]): MediaWorker | undefined {
  return workers.toSorted((a, b) => a.consumers - b.consumers || a.routers - b.routers)[0];
}

/** Post: `consumers` is what the worker has, from now on. */
function counted(media: MediaWorker): MediaWorker {
  media.worker.observer.on('newrouter', (router) => router.observer.on('newtransport', (transport) => transport.observer.on('newconsumer', (consumer) => {
    media.consumers += 1;
    consumer.observer.once('close', () => {
      media.consumers -= 1;
    });
  })));
  return media;
}

/** A worker that leaves the process signals to us: mediasoup's own handlers would end it before the drain. */
async function startProcess(workerBin: string): Promise<Worker> {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const before = new Map(signals.map((signal) => [signal, new Set(process.listeners(signal))]));
  // createWorker adds its listeners before its first wait, so only its own are new here.
  const starting = createWorker({ workerBin, logLevel: 'error' });
  for (const signal of signals) {
    for (const listener of process.listeners(signal)) {
      if (before.get(signal)?.has(listener) !== true) process.removeListener(signal, listener);
    }
  }
  try {
    return await starting;
  } catch (error) {
    throw new Error(`the media worker ${workerBin} cannot be started: ${asError(error).message}`, { cause: error });
  }
}

async function endWorker(worker: Worker, log: Logger): Promise<void> {
  if (worker.subprocessClosed) return;
  const gone = new Promise<void>((resolve) => worker.once('subprocessclose', resolve));
  worker.close();
  const kill = setTimeout(() => {
    log.warn('media worker does not end by itself', { pid: worker.pid });
    process.kill(worker.pid, 'SIGKILL');
  }, exitTimeoutMs);
  await gone;
  clearTimeout(kill);
}
