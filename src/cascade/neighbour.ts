// Owns one neighbour: whether a link to it is wanted, which one counts, and when the next attempt is made.
import type { WebSocket } from 'ws';
import type { ServerName } from '../call/ids.ts';
import type { Clock, Random } from '../control/ports/clock.ts';
import type { PeerMessage, PeerStatus } from '../control/ports/peer-links.ts';
import type { Logger } from '../log/logger.ts';
import { asError, background } from '../util/background.ts';
import type { Result } from '../util/result.ts';
import type { CascadeLimits } from './limits.ts';
import { Link, type LinkEnd } from './link.ts';

export interface Opened {
  readonly ws: WebSocket;
  readonly version: string;
}

export interface NeighbourOptions {
  readonly own: ServerName;
  readonly server: ServerName;
  /** One attempt to open a link. The error says why it failed, for the operator. */
  readonly open: (signal: AbortSignal) => Promise<Result<Opened, string>>;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: CascadeLimits;
  readonly log: Logger;
}

/** As PeerListener, of one neighbour. */
export interface NeighbourListener {
  linkUp(): void;
  linkDown(reason: string): void;
  received(message: PeerMessage): void;
}

/** Of links that we have closed: those that are the neighbour's fault. */
const refusalCodes: ReadonlySet<string> = new Set(['version', 'forbidden', 'protocolError', 'flood', 'slow', 'timeout']);

interface Attempt {
  readonly controller: AbortController;
  readonly cancelDeadline: () => void;
}

export class Neighbour {
  readonly #options: NeighbourOptions;
  readonly #listener: NeighbourListener;
  /** All that are not gone, the current one among them. */
  readonly #links = new Set<Link>();
  #current: { readonly link: Link; readonly sinceMs: number } | undefined;
  #attempt: Attempt | undefined;
  #wanted = false;
  #closed = false;
  #failures = 0;
  /** A link was up since it is wanted. */
  #wasUp = false;
  #reason: string | undefined;
  #retryAtMs = 0;
  #cancelRetry: (() => void) | undefined;
  #cancelIdle: (() => void) | undefined;
  #heardAtMs = 0;
  readonly #refusals = new Map<string, number>();

  constructor(options: NeighbourOptions, listener: NeighbourListener) {
    this.#options = options;
    this.#listener = listener;
  }

  want(wanted: boolean): void {
    if (this.#wanted === wanted) return;
    this.#wanted = wanted;
    if (!wanted) this.#wasUp = this.#current !== undefined;
    this.#reconcile();
  }

  send(message: PeerMessage): boolean {
    return this.#current?.link.send(message) ?? false;
  }

  get status(): PeerStatus {
    const link = this.#current?.link;
    const opening = this.#attempt !== undefined || this.#isGreeting;
    const state = link !== undefined ? 'up' : opening ? 'opening' : this.#wanted ? 'down' : 'idle';
    return { server: this.#options.server, state, roundTripMs: link?.roundTripMs, reason: state === 'up' || state === 'idle' ? undefined : this.#reason, queuedBytes: link?.queuedBytes ?? 0, refusals: Object.fromEntries(this.#refusals) };
  }

  /** Counts what of its frames was not taken. */
  refused(code: string, count = 1): void {
    this.#refusals.set(code, (this.#refusals.get(code) ?? 0) + count);
  }

  /** A connection that was introduced, from either side. */
  adopt({ ws, version }: Opened, openedBy: ServerName): void {
    const { own, server: peer, clock, limits, log } = this.#options;
    const link = new Link({ ws, own, peer, openedBy, version, clock, limits, log }, {
      ready: () => this.#ready(link),
      received: (message) => {
        this.#heardAtMs = clock.nowMs();
        this.#listener.received(message);
      },
      leftOut: (count) => this.refused('overLimit', count),
      ended: (end) => {
        if (end.by === 'us' && refusalCodes.has(end.code)) this.refused(end.code);
        this.#ended(link, end);
      },
    });
    this.#links.add(link);
    background(log, 'forget a link', link.gone.then(() => this.#links.delete(link)));
    if (this.#closed) link.close('stopping', 'the bridge stops');
  }

  /** Post: every connection is gone, nothing is opened any more. `text` tells the other side why. */
  async close(text = 'the bridge stops'): Promise<void> {
    this.#closed = true;
    this.#wanted = false;
    this.#abort();
    this.#cancelRetry?.();
    this.#cancelIdle?.();
    const links = [...this.#links];
    for (const link of links) link.close('stopping', text);
    await Promise.all(links.map((link) => link.gone));
  }

  get #isGreeting(): boolean {
    return [...this.#links].some(({ isGreeting }) => isGreeting);
  }

  /** Both sides decide alike, whichever link they see first. */
  #ready(link: Link): void {
    const { own, server, clock, log } = this.#options;
    const smaller = own < server ? own : server;
    const older = this.#current?.link;
    if (older !== undefined && link.openedBy !== smaller && older.openedBy === smaller) {
      link.close('duplicate', 'the link that the other side has opened stays');
      return;
    }
    // What we have not yet opened ourselves is not needed any more.
    this.#abort();
    this.#current = { link, sinceMs: clock.nowMs() };
    if (older !== undefined) {
      older.close('duplicate', 'another link has taken its place');
      this.#listener.linkDown('another link has taken its place');
    }
    this.#heardAtMs = clock.nowMs();
    this.#wasUp = true;
    this.#reason = undefined;
    log.info('link up', { openedBy: link.openedBy });
    this.#listener.linkUp();
    this.#reconcile();
  }

  #ended(link: Link, { code, by, text }: LinkEnd): void {
    const current = this.#current;
    if (current?.link !== link) {
      if (code !== 'duplicate') this.#options.log.warn('link ended before it was up', { code, reason: explain(by, text) });
      if (current === undefined && !this.#closed) this.#failed(explain(by, text));
      return;
    }
    const { log, clock, limits } = this.#options;
    this.#current = undefined;
    const reason = explain(by, text);
    log[code === 'stopping' ? 'info' : 'warn']('link down', { code, reason });
    this.#listener.linkDown(reason);
    if (this.#closed) return;
    const heldMs = clock.nowMs() - current.sinceMs;
    if (heldMs >= limits.steadyAfterMs) this.#failures = 0;
    else if (heldMs >= limits.halfSteadyAfterMs) this.#failures = Math.floor(this.#failures / 2);
    this.#failed(reason);
  }

  /** Brings what is in line with what is wanted. Idempotent. */
  #reconcile(): void {
    if (this.#closed) return;
    this.#cancelIdle?.();
    this.#cancelRetry?.();
    this.#cancelIdle = undefined;
    this.#cancelRetry = undefined;
    const { clock, limits, own } = this.#options;
    if (this.#current !== undefined) {
      // Only who opened it closes it for want of use: the other side would open it again.
      if (!this.#wanted && this.#current.link.openedBy === own) this.#watchIdle(limits.idleCloseMs);
    } else if (this.#wanted && this.#attempt === undefined && !this.#isGreeting) {
      const delayMs = this.#retryAtMs - clock.nowMs();
      if (delayMs <= 0) background(this.#options.log, 'open a link', this.#open());
      else this.#cancelRetry = clock.after(delayMs, () => this.#reconcile());
    }
  }

  #watchIdle(delayMs: number): void {
    const { clock, limits } = this.#options;
    this.#cancelIdle = clock.after(delayMs, () => {
      // Whoever still speaks to us has a use for the link.
      const silentMs = clock.nowMs() - this.#heardAtMs;
      if (silentMs < limits.idleCloseMs) this.#watchIdle(limits.idleCloseMs - silentMs);
      else this.#current?.link.close('stopping', 'no call is shared');
    });
  }

  async #open(): Promise<void> {
    const { clock, limits, own } = this.#options;
    const controller = new AbortController();
    const cancelDeadline = clock.after(limits.openTimeoutMs, () => controller.abort(new Error('not opened in time')));
    const attempt: Attempt = { controller, cancelDeadline };
    this.#attempt = attempt;
    let outcome: Result<Opened, string>;
    try {
      outcome = await this.#options.open(controller.signal);
    } catch (error) {
      outcome = { ok: false, error: asError(error).message };
    }
    cancelDeadline();
    if (this.#attempt !== attempt) {
      // Given up while it was under way: nobody has heard of it yet.
      if (outcome.ok) outcome.value.ws.terminate();
      return;
    }
    this.#attempt = undefined;
    if (outcome.ok) this.adopt(outcome.value, own);
    else this.#failed(outcome.error);
  }

  #abort(): void {
    const attempt = this.#attempt;
    this.#attempt = undefined;
    attempt?.cancelDeadline();
    attempt?.controller.abort(new Error('not needed any more'));
  }

  #failed(reason: string): void {
    const { clock, random, limits, log } = this.#options;
    const baseMs = Math.min(limits.firstRetryMs * 2 ** this.#failures, this.#wasUp ? limits.longestReturnMs : limits.longestRetryMs);
    const delayMs = Math.round(baseMs * (0.5 + Number(random.digits(6)) / 1_000_000));
    this.#failures = Math.min(this.#failures + 1, 30);
    this.#reason = reason;
    this.#retryAtMs = clock.nowMs() + delayMs;
    if (this.#wanted) log.warn('no link', { reason, retryInMs: delayMs });
    this.#reconcile();
  }
}

function explain(by: LinkEnd['by'], text: string): string {
  return by === 'them' ? `the other side: ${text}` : text;
}

