// Owns the side that is asked in the second means of introduction (docs/protocol/cascade.md §1.2): who sends is unknown, so nothing is told to them and little is done for them.
import { callError, type CallError } from '../call/errors.ts';
import type { ServerName } from '../call/ids.ts';
import type { Clock } from '../control/ports/clock.ts';
import type { RouteRequest } from '../control/ports/route.ts';
import type { Logger } from '../log/logger.ts';
import { asError, background } from '../util/background.ts';
import { err, ok, type Result } from '../util/result.ts';
import { Allowance } from './allowance.ts';
import { wellFormed } from './invitation.ts';
import type { IssuedKeys } from './keys.ts';
import { Nonces } from './nonces.ts';
import { post } from './post.ts';
import type { CountRefusal } from './refusals.ts';
import { bridgeOf, confirmPath, verifySpeaker, type VouchedOptions } from './vouched.ts';
import { introduction, tokenOf, type Introduction } from './vouched-shapes.ts';
import { agreeOn, ourVersions } from './version.ts';

export interface VouchedAnsweringOptions extends VouchedOptions {
  readonly accepts: (server: ServerName) => 'listed' | 'unlisted' | false;
  readonly keys: Pick<IssuedKeys, 'issue' | 'redeem'>;
  readonly clock: Clock;
  readonly refused: CountRefusal;
  readonly log: Logger;
}

const perMinute = { source: 30, server: 20, unlisted: 30 };
const atOnce = { all: 8, server: 2 };
const deadlineMs = 15_000;
/** An address whose introduction was confirmed has an allowance of its own for so long. */
const confirmedKeptMs = 24 * 3_600_000;
const maxConfirmed = 1_000;

export class VouchedAnswering {
  readonly #options: VouchedAnsweringOptions;
  readonly #nonces: Nonces;
  readonly #sources: Allowance;
  readonly #servers: Allowance;
  readonly #unlisted: Allowance;
  readonly #confirmed = new Map<string, number>();
  readonly #underWay = new Map<ServerName, number>();
  readonly #closing = new AbortController();

  constructor(options: VouchedAnsweringOptions) {
    const { clock } = options;
    this.#options = options;
    this.#nonces = new Nonces(clock);
    this.#sources = new Allowance(clock, perMinute.source);
    this.#servers = new Allowance(clock, perMinute.server);
    this.#unlisted = new Allowance(clock, perMinute.unlisted);
  }

  /** Answers `POST cascade/introduce`. The same, at once, whoever is named and whatever follows. Refused: badRequest, tooManyRequests (by the address alone). */
  introduce({ body, source }: Pick<RouteRequest, 'body' | 'source'>): Result<object, CallError> {
    const { refused, log } = this.#options;
    if (!this.#sources.take(source)) {
      refused('introductionFlood', undefined, { source });
      return err(callError('tooManyRequests', `${source} introduces itself too often`, 60_000));
    }
    const parsed = introduction.safeParse(body);
    if (!parsed.success) {
      refused('introductionShape', undefined);
      return err(callError('badRequest', 'an introduction holds versions, nonce, server_name and openid_token'));
    }
    if (this.#mayLookAt(parsed.data, source)) background(log, 'answer an introduction', this.#answer(parsed.data, source));
    return ok({});
  }

  /** Post: nothing is asked of anybody any more. */
  close(): void {
    this.#closing.abort(new Error('the bridge stops'));
  }

  /** Everything that can be decided without asking anybody. */
  #mayLookAt({ server_name: server, nonce }: Introduction, source: string): boolean {
    const { accepts, refused } = this.#options;
    const accepted = accepts(server);
    const no = (...refusal: Parameters<CountRefusal>): false => {
      refused(...refusal);
      return false;
    };
    if (accepted === false) return no('notListed', server, { source, hint: 'list it under neighbours if calls with it are wanted' });
    if (this.#nonces.has(server, nonce)) return no('introductionReplay', server, { source });
    const underWay = this.#underWay.get(server) ?? 0;
    const inAll = [...this.#underWay.values()].reduce((sum, count) => sum + count, 0);
    const isFlood = underWay >= atOnce.server || inAll >= atOnce.all || (accepted === 'unlisted' && !this.#unlisted.take('all')) || !this.#servers.take(this.#isConfirmed(server, source) ? `${server} ${source}` : server);
    if (isFlood) return no('introductionFlood', server, { source });
    this.#nonces.add(server, nonce);
    return true;
  }

  async #answer(request: Introduction, source: string): Promise<void> {
    const { server_name: server } = request;
    this.#underWay.set(server, (this.#underWay.get(server) ?? 0) + 1);
    try {
      await this.#confirm(request, source);
    } finally {
      const left = (this.#underWay.get(server) ?? 1) - 1;
      if (left === 0) this.#underWay.delete(server);
      else this.#underWay.set(server, left);
    }
  }

  async #confirm({ server_name: server, nonce, openid_token: token, versions }: Introduction, source: string): Promise<void> {
    const { own, voucher, keys, policy, refused } = this.#options;
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(deadlineMs)]);
    const verdict = await verifySpeaker(this.#options, { server, token });
    if (!verdict.ok) {
      refused(verdict.error.code === 'token' ? 'introductionToken' : 'introductionUnverified', server, { source, detail: verdict.error.detail });
      return;
    }
    const unanswered = (detail: string): void => refused('introductionUnanswered', server, { source, detail });
    const base = await bridgeOf(this.#options, server, signal);
    if (!base.ok || base.value === undefined) {
      unanswered(base.ok ? 'it publishes no bridge in its .well-known/matrix/client, and neighbours.url is not set' : base.error);
      return;
    }
    const ours = await voucher.token().catch((error: unknown) => asError(error));
    if (ours instanceof Error) {
      unanswered(ours.message);
      return;
    }
    const version = agreeOn(ourVersions, versions);
    if (version === undefined) refused('introductionVersion', server, { ours: ourVersions, theirs: wellFormed(versions) });
    const key = version === undefined ? undefined : keys.issue({ server, version });
    const outcome = version === undefined ? { errcode: 'FR_VIADUC_VERSION', versions: ourVersions } : { version, key };
    const answer = await post(base.value, confirmPath, { nonce, server_name: own, openid_token: tokenOf(ours, own), ...outcome }, { policy, signal });
    if (answer.ok && answer.value.status === 200) {
      this.#remember(server, source);
      return;
    }
    if (key !== undefined) keys.redeem(key);
    if (!answer.ok) unanswered(answer.error);
    else if (answer.value.status === 403) refused('introductionUnconfirmed', server, { source });
    else unanswered(`${base.value.origin} answers with status ${answer.value.status}`);
  }

  #isConfirmed(server: ServerName, source: string): boolean {
    const atMs = this.#confirmed.get(`${server} ${source}`);
    return atMs !== undefined && this.#options.clock.nowMs() - atMs < confirmedKeptMs;
  }

  #remember(server: ServerName, source: string): void {
    const [oldest] = this.#confirmed.keys();
    if (this.#confirmed.size >= maxConfirmed && oldest !== undefined) this.#confirmed.delete(oldest);
    this.#confirmed.delete(`${server} ${source}`);
    this.#confirmed.set(`${server} ${source}`, this.#options.clock.nowMs());
  }
}
