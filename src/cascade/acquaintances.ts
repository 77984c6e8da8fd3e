// Owns the neighbours that the operator has not listed but allows (any federated): looked for, a few at a time; forgotten when no call is shared.
import type { ServerName } from '../call/ids.ts';
import type { Clock } from '../control/ports/clock.ts';
import type { Logger } from '../log/logger.ts';
import { background } from '../util/background.ts';
import type { Result } from '../util/result.ts';
import { Allowance } from './allowance.ts';
import type { Declined } from './invitation.ts';
import type { CascadeLimits } from './limits.ts';
import type { Neighbour, Opened } from './neighbour.ts';

export interface AcquaintancesOptions {
  readonly own: ServerName;
  readonly make: (server: ServerName) => Neighbour;
  /** Finds its bridge and opens a link. */
  readonly open: (server: ServerName, signal: AbortSignal) => Promise<Result<Opened, Declined>>;
  /** Was sought, and is none. */
  readonly missed: (server: ServerName) => void;
  readonly clock: Clock;
  readonly limits: Pick<CascadeLimits, 'idleCloseMs' | 'openTimeoutMs'>;
  readonly log: Logger;
}

interface Acquaintance {
  readonly neighbour: Neighbour;
  /** Of forgetting it; undefined while a call is shared. */
  cancel: (() => void) | undefined;
}

interface Miss {
  readonly untilMs: number;
  readonly failures: number;
}

const maxAcquaintances = 50;
const seeks = { atOnce: 4, perMinute: 30 };
/** Where there is no bridge; where one was not reached, from the first on and doubling. */
const againMs = { none: 3_600_000, first: 60_000 };
const maxMisses = 10_000;

export class Acquaintances {
  readonly #options: AcquaintancesOptions;
  readonly #known = new Map<ServerName, Acquaintance>();
  readonly #sought = new Map<ServerName, AbortController>();
  readonly #misses = new Map<ServerName, Miss>();
  readonly #seeks: Allowance;
  #closed = false;

  constructor(options: AcquaintancesOptions) {
    this.#options = options;
    this.#seeks = new Allowance(options.clock, seeks.perMinute);
  }

  get(server: ServerName): Neighbour | undefined {
    return this.#known.get(server)?.neighbour;
  }

  all(): readonly (readonly [ServerName, Neighbour])[] {
    return [...this.#known].map(([server, { neighbour }]) => [server, neighbour] as const);
  }

  isSought(server: ServerName): boolean {
    return this.#sought.has(server);
  }

  /** Post: those that share a call are kept; the others are forgotten after a while. */
  want(servers: ReadonlySet<ServerName>): void {
    for (const [server, acquaintance] of this.#known) {
      acquaintance.neighbour.want(servers.has(server));
      if (servers.has(server)) {
        acquaintance.cancel?.();
        acquaintance.cancel = undefined;
      } else if (acquaintance.cancel === undefined) this.#forgetLater(server, acquaintance);
    }
  }

  /** Looks for a bridge of each, unless it was looked for lately. What is too many now comes with the next call. */
  seek(servers: Iterable<ServerName>): void {
    const { clock, own, log } = this.#options;
    for (const server of servers) {
      if (this.#closed || this.#sought.size >= seeks.atOnce) return;
      if (server === own || this.#known.has(server) || this.#sought.has(server) || (this.#misses.get(server)?.untilMs ?? 0) > clock.nowMs()) continue;
      if (!this.#hasRoom() || !this.#seeks.take('all')) return;
      background(log, 'look for a bridge', this.#seek(server));
    }
  }

  /** For a connection that was introduced. undefined: there are too many already. */
  admit(server: ServerName): Neighbour | undefined {
    const known = this.#known.get(server);
    if (known !== undefined) return known.neighbour;
    if (this.#closed || !this.#makeRoom()) return undefined;
    const acquaintance: Acquaintance = { neighbour: this.#options.make(server), cancel: undefined };
    this.#known.set(server, acquaintance);
    this.#misses.delete(server);
    this.#forgetLater(server, acquaintance);
    return acquaintance.neighbour;
  }

  /** Post: every link is closed, nobody is looked for. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const controller of this.#sought.values()) controller.abort(new Error('the bridge stops'));
    await Promise.all([...this.#known.values()].map(({ neighbour, cancel }) => {
      cancel?.();
      return neighbour.close();
    }));
  }

  async #seek(server: ServerName): Promise<void> {
    const { open, own, clock, limits, log } = this.#options;
    const controller = new AbortController();
    const cancel = clock.after(limits.openTimeoutMs, () => controller.abort(new Error('not found in time')));
    this.#sought.set(server, controller);
    try {
      const opened = await open(server, controller.signal);
      if (!opened.ok) {
        this.#missed(server, opened.error);
        return;
      }
      const neighbour = this.admit(server);
      if (neighbour === undefined) {
        opened.value.ws.terminate();
        return;
      }
      log.info('bridge found', { server });
      neighbour.adopt(opened.value, own);
    } finally {
      cancel();
      this.#sought.delete(server);
      if (!this.#known.has(server)) this.#options.missed(server);
    }
  }

  #missed(server: ServerName, { detail, isMissing }: Declined): void {
    const { clock, log } = this.#options;
    const failures = (this.#misses.get(server)?.failures ?? 0) + 1;
    const forMs = isMissing ? againMs.none : Math.min(againMs.first * 2 ** (failures - 1), againMs.none);
    const [oldest] = this.#misses.keys();
    if (this.#misses.size >= maxMisses && oldest !== undefined) this.#misses.delete(oldest);
    this.#misses.delete(server);
    this.#misses.set(server, { untilMs: clock.nowMs() + forMs, failures });
    log.info('no bridge found', { server, detail, againInMs: forMs });
  }

  #forgetLater(server: ServerName, acquaintance: Acquaintance): void {
    acquaintance.cancel = this.#options.clock.after(this.#options.limits.idleCloseMs, () => this.#forget(server));
  }

  #forget(server: ServerName): void {
    const acquaintance = this.#known.get(server);
    if (acquaintance === undefined) return;
    this.#known.delete(server);
    acquaintance.cancel?.();
    background(this.#options.log, 'part from a neighbour', acquaintance.neighbour.close('no call is shared'));
  }

  #hasRoom(): boolean {
    return this.#known.size < maxAcquaintances || [...this.#known.values()].some(({ cancel }) => cancel !== undefined);
  }

  /** Who shares no call makes room, the longest known first. */
  #makeRoom(): boolean {
    if (this.#known.size < maxAcquaintances) return true;
    const idle = [...this.#known].find(([, { cancel }]) => cancel !== undefined);
    if (idle !== undefined) this.#forget(idle[0]);
    return idle !== undefined;
  }
}
