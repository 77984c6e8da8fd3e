// Owns the side that asks in the second means of introduction (docs/protocol/cascade.md §1.2, steps 1 and 3): one request, one confirmation.
import { randomBytes } from 'node:crypto';
import { callError, type CallError } from '../call/errors.ts';
import type { ServerName } from '../call/ids.ts';
import type { RouteRequest } from '../control/ports/route.ts';
import type { Logger } from '../log/logger.ts';
import { asError } from '../util/background.ts';
import { err, ok, type Result } from '../util/result.ts';
import { chosenVersion, declined, missing, noCommonVersion, refusalInWords, type Declined, type Invitation } from './invitation.ts';
import { introducePath } from './introductions.ts';
import { post } from './post.ts';
import type { CountRefusal } from './refusals.ts';
import { bridgeOf, verifySpeaker, type VouchedOptions } from './vouched.ts';
import { confirmation, tokenOf, type Confirmation } from './vouched-shapes.ts';
import { ourVersions } from './version.ts';

export interface VouchedAskingOptions extends VouchedOptions {
  readonly refused: CountRefusal;
  readonly log: Logger;
}

interface Waiting {
  readonly server: ServerName;
  readonly base: URL;
  readonly settle: (outcome: Result<Invitation, Declined>) => void;
}

export class VouchedAsking {
  readonly #options: VouchedAskingOptions;
  readonly #waiting = new Map<string, Waiting>();

  constructor(options: VouchedAskingOptions) {
    this.#options = options;
  }

  async ask(server: ServerName, signal: AbortSignal): Promise<Result<Invitation, Declined>> {
    const { own, policy, voucher } = this.#options;
    const base = await bridgeOf(this.#options, server, signal);
    if (!base.ok) return declined(`https://${server.replace(/:\d+$/, '')}/.well-known/matrix/client could not be read (${base.error}): set neighbours.url, or check that address`);
    if (base.value === undefined) return missing(`${server} publishes no bridge: its operator adds fr.viaduc.bridge to its .well-known/matrix/client, or ours sets neighbours.url`);
    const nonce = randomBytes(24).toString('base64url');
    const { promise, resolve } = Promise.withResolvers<Result<Invitation, Declined>>();
    const late = () => resolve(declined(unconfirmed(server, base.value?.origin ?? '', own)));
    signal.addEventListener('abort', late);
    this.#waiting.set(nonce, { server, base: base.value, settle: resolve });
    try {
      const token = await voucher.token();
      const sent = await post(base.value, introducePath, { versions: ourVersions, nonce, server_name: own, openid_token: tokenOf(token, own) }, { policy, signal });
      if (!sent.ok) return declined(`the bridge of ${server} is not reached: ${sent.error}`);
      const who = `the bridge of ${server} at ${base.value.origin}`;
      if (sent.value.status === 404) return missing(`${who} knows no introduction by this means: it must be updated, or is not the address of a bridge`);
      if (sent.value.status !== 200) return declined(refusalInWords(who, sent.value.status, sent.value.content));
      if (signal.aborted) late();
      return await promise;
    } catch (error) {
      return declined(asError(error).message);
    } finally {
      this.#waiting.delete(nonce);
      signal.removeEventListener('abort', late);
    }
  }

  /** Answers `POST cascade/confirm`. Refused: badRequest; neighbourRefused, for whatever reason. Asks nobody anything unless it is the answer to a request of ours. */
  async confirm({ body }: Pick<RouteRequest, 'body'>): Promise<Result<object, CallError>> {
    const { refused } = this.#options;
    const parsed = confirmation.safeParse(body);
    if (!parsed.success) {
      refused('introductionShape', undefined);
      return err(callError('badRequest', 'a confirmation holds nonce, server_name, openid_token, and version and key'));
    }
    const { nonce, server_name: server, openid_token: token } = parsed.data;
    const waiting = this.#waiting.get(nonce);
    if (waiting?.server !== server) {
      refused('confirmationUnasked', server);
      return notOurs('no request of ours waits for this');
    }
    this.#waiting.delete(nonce);
    const verdict = await verifySpeaker(this.#options, { server, token });
    if (!verdict.ok) {
      refused(verdict.error.code === 'token' ? 'confirmationToken' : 'introductionUnverified', server, { detail: verdict.error.detail });
      waiting.settle(declined(`the bridge of ${server} has not proved itself: ${verdict.error.detail}`));
      return notOurs(verdict.error.detail);
    }
    waiting.settle(this.#invitation(waiting, parsed.data));
    return ok({});
  }

  #invitation({ server, base }: Waiting, confirmed: Confirmation): Result<Invitation, Declined> {
    if (!('key' in confirmed)) return noCommonVersion(server, confirmed, this.#options.log);
    const version = chosenVersion(server, confirmed.version);
    return version.ok ? ok({ version: version.value, url: linkUrl(base), key: confirmed.key }) : version;
  }
}

function linkUrl(base: URL): URL {
  return new URL(`${base.href.replace(/^http/, 'ws').replace(/\/+$/, '')}/cascade`);
}

function notOurs(detail: string): { readonly ok: false; readonly error: CallError } {
  return err(callError('neighbourRefused', detail));
}

/** Whoever is asked by this means says nothing to strangers, and we are one until it has proof. */
function unconfirmed(server: ServerName, origin: string, own: ServerName): string {
  return `the bridge of ${server} at ${origin} has not confirmed in time: it does not list ${own}, could not verify us at our homeserver, or does not reach our public address (./viaduc neighbours tells its operator which)`;
}
