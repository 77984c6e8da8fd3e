// Owns introductions as a whole: both means, either side, and the keys that come of them (docs/protocol/cascade.md §1).
import { callError } from '../call/errors.ts';
import type { ServerName } from '../call/ids.ts';
import type { Clock } from '../control/ports/clock.ts';
import type { Introducer } from '../control/ports/introducer.ts';
import type { Route } from '../control/ports/route.ts';
import type { Logger } from '../log/logger.ts';
import type { ListedAddressPolicy } from '../util/addresses.ts';
import { err, type Result } from '../util/result.ts';
import type { Declined, Invitation } from './invitation.ts';
import { introducePath, Introductions } from './introductions.ts';
import { IssuedKeys, type Introduced } from './keys.ts';
import type { CascadeLimits } from './limits.ts';
import { Means } from './means.ts';
import type { CountRefusal } from './refusals.ts';
import { confirmPath, type VouchingOptions } from './vouched.ts';
import { VouchedAnswering } from './vouched-answering.ts';
import { VouchedAsking } from './vouched-asking.ts';

export interface IntroducingOptions {
  readonly own: ServerName;
  readonly isListed: (server: ServerName) => boolean;
  /** May servers that are not listed be neighbours too? */
  readonly acceptsAny: boolean;
  readonly publicUrl: string;
  readonly introducer: Introducer;
  /** undefined: the second means is neither used nor answered. */
  readonly vouching: VouchingOptions | undefined;
  readonly policy: ListedAddressPolicy;
  readonly clock: Clock;
  readonly limits: CascadeLimits;
  readonly refused: CountRefusal;
  readonly log: Logger;
}

export class Introducing {
  readonly #options: IntroducingOptions;
  readonly #keys: IssuedKeys;
  readonly #introductions: Introductions;
  readonly #vouched: { readonly asking: VouchedAsking; readonly answering: VouchedAnswering } | undefined;
  readonly #means: Means;
  #state: 'new' | 'open' | 'closed' = 'new';

  constructor(options: IntroducingOptions) {
    this.#options = options;
    const { clock, limits, publicUrl, refused, introducer, vouching, log } = options;
    this.#keys = new IssuedKeys(clock, limits.keyLifetimeMs);
    this.#introductions = new Introductions({ accepts: (server) => this.#accepts(server) !== false, publicUrl, keys: this.#keys, clock, limits, refused });
    const vouched = vouching === undefined ? undefined : { ...options, ...vouching };
    this.#vouched = vouched && { asking: new VouchedAsking(vouched), answering: new VouchedAnswering({ ...vouched, accepts: (server) => this.#accepts(server), keys: this.#keys }) };
    this.#means = new Means({ introducer, vouched: this.#vouched?.asking, clock, log });
  }

  /** Post: both means are answered. */
  start(): void {
    this.#state = 'open';
    this.#options.introducer.answer(introducePath, (origin, body) => {
      if (this.#state === 'closed') return Promise.resolve({ status: 503, content: { errcode: 'M_UNKNOWN', error: 'the bridge stops' } });
      return Promise.resolve(this.#introductions.answer(origin, body));
    });
  }

  close(): void {
    this.#state = 'closed';
    this.#vouched?.answering.close();
  }

  /** Of the public listener: what the second means asks. */
  get routes(): readonly Route[] {
    const vouched = this.#vouched;
    if (vouched === undefined) return [];
    return [this.#route(introducePath, (request) => Promise.resolve(vouched.answering.introduce(request))), this.#route(confirmPath, (request) => vouched.asking.confirm(request))];
  }

  ask(server: ServerName, signal: AbortSignal): Promise<Result<Invitation, Declined>> {
    return this.#means.ask(server, signal);
  }

  /** Post: the key is worth nothing any more. undefined: it is not good. */
  redeem(key: string): Introduced | undefined {
    return this.#keys.redeem(key);
  }

  #route(path: string, run: Route['run']): Route {
    const unready = err(callError('draining', 'the bridge starts or stops'));
    return { method: 'POST', path: `/${path}`, anyOrigin: false, perMinute: 120, run: (request) => (this.#state === 'open' ? run(request) : Promise.resolve(unready)) };
  }

  #accepts(server: ServerName): 'listed' | 'unlisted' | false {
    const { own, isListed, acceptsAny } = this.#options;
    if (server === own) return false;
    return isListed(server) ? 'listed' : acceptsAny ? 'unlisted' : false;
  }
}
