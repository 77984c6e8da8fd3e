// Owns which means of introduction a neighbour is asked by: through the homeservers first, directly where that does not exist.
import type { ServerName } from '../call/ids.ts';
import type { Clock } from '../control/ports/clock.ts';
import type { Introducer } from '../control/ports/introducer.ts';
import type { Logger } from '../log/logger.ts';
import { asError } from '../util/background.ts';
import { beforeAbort } from '../util/before-abort.ts';
import { err, type Result } from '../util/result.ts';
import { declined, type Declined, type Invitation } from './invitation.ts';
import { askThroughHomeservers } from './introductions.ts';
import type { VouchedAsking } from './vouched-asking.ts';

export interface MeansOptions {
  readonly introducer: Pick<Introducer, 'ask'>;
  /** undefined: there is no second means. */
  readonly vouched: Pick<VouchedAsking, 'ask'> | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

type Asked = Result<Invitation, Declined>;

/** That the first means does not exist is remembered, so that each attempt does not begin in vain; homeservers are updated now and then. */
const rememberedMs = 3_600_000;

export class Means {
  readonly #options: MeansOptions;
  readonly #vouchedUntilMs = new Map<ServerName, number>();

  constructor(options: MeansOptions) {
    this.#options = options;
  }

  /** `isMissing` of the error: no means exists, as far as both servers tell. */
  async ask(server: ServerName, signal: AbortSignal): Promise<Asked> {
    const { vouched, clock, log } = this.#options;
    const isRemembered = vouched !== undefined && (this.#vouchedUntilMs.get(server) ?? 0) > clock.nowMs();
    const [first, second] = isRemembered ? (['vouched', 'carried'] as const) : (['carried', 'vouched'] as const);
    const one = await this.#by(first, server, signal);
    if (one.ok || !one.error.isMissing || vouched === undefined) return one;
    const other = await this.#by(second, server, signal);
    if (other.ok && second === 'vouched') {
      this.#vouchedUntilMs.set(server, clock.nowMs() + rememberedMs);
      log.info('introduced by the second means', { server, because: one.error.detail });
    }
    if (other.ok) return other;
    const [carried, direct] = isRemembered ? [other.error, one.error] : [one.error, other.error];
    return err({ isMissing: other.error.isMissing, detail: `neither means of introduction works. Through the homeservers: ${carried.detail}. Directly: ${direct.detail}` });
  }

  async #by(means: 'carried' | 'vouched', server: ServerName, signal: AbortSignal): Promise<Asked> {
    const { introducer, vouched, log } = this.#options;
    try {
      if (means === 'vouched' && vouched !== undefined) return await vouched.ask(server, signal);
      return await beforeAbort(askThroughHomeservers(introducer, server, log), signal);
    } catch (error) {
      return declined(asError(error).message);
    }
  }
}
