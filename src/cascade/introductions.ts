// Owns the first means of introduction, through both homeservers (docs/protocol/cascade.md §1.1): the side that asks, and the side that is asked.
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { ServerName } from '../call/ids.ts';
import type { Clock } from '../control/ports/clock.ts';
import { NotCarried, type Introducer } from '../control/ports/introducer.ts';
import type { Logger } from '../log/logger.ts';
import { ok, type Result } from '../util/result.ts';
import { chosenVersion, declined, errcodeIn, keyText, missing, nonceText, noCommonVersion, refusalInWords, shapeInWords, versionList, versionText, wellFormed, type Declined, type Invitation } from './invitation.ts';
import type { IssuedKeys } from './keys.ts';
import type { CascadeLimits } from './limits.ts';
import { Nonces } from './nonces.ts';
import type { CountRefusal } from './refusals.ts';
import { agreeOn, ourVersions } from './version.ts';

export const introducePath = 'cascade/introduce';

export interface IntroductionsOptions {
  /** Those that may be our neighbours. */
  readonly accepts: (server: ServerName) => boolean;
  /** Given to neighbours: `wss://…/cascade`. */
  readonly publicUrl: string;
  readonly keys: Pick<IssuedKeys, 'issue'>;
  readonly clock: Clock;
  readonly limits: Pick<CascadeLimits, 'introductionsPerMinute'>;
  readonly refused: CountRefusal;
}

interface Answer {
  readonly status: number;
  readonly content: object;
}

const request = z.object({ versions: versionList.min(1), nonce: nonceText });
const minuteMs = 60_000;

/** The side that is asked. */
export class Introductions {
  readonly #options: IntroductionsOptions;
  readonly #nonces: Nonces;

  constructor(options: IntroductionsOptions) {
    this.#options = options;
    this.#nonces = new Nonces(options.clock);
  }

  /** Answers `cascade/introduce`. `origin` was verified by our homeserver. */
  answer(origin: ServerName, body: unknown): Answer {
    const { accepts, clock, limits, publicUrl, keys, refused } = this.#options;
    if (!accepts(origin)) {
      refused('notListed', origin, { hint: 'list it under neighbours if calls with it are wanted' });
      return refusal(403, 'M_FORBIDDEN', 'this bridge does not list yours among its neighbours');
    }
    const parsed = request.safeParse(body);
    if (!parsed.success) {
      refused('introductionShape', origin);
      return refusal(400, 'M_BAD_JSON', 'an introduction holds versions and a nonce');
    }
    const { versions, nonce } = parsed.data;
    if (this.#nonces.has(origin, nonce)) {
      refused('introductionReplay', origin);
      return refusal(403, 'M_FORBIDDEN', 'this nonce was used before');
    }
    const lastMinute = this.#nonces.within(origin, minuteMs);
    if (lastMinute.length >= limits.introductionsPerMinute) {
      refused('introductionFlood', origin);
      const nowMs = clock.nowMs();
      return { status: 429, content: { errcode: 'M_LIMIT_EXCEEDED', error: 'too many introductions', retry_after_ms: minuteMs - (nowMs - (lastMinute[0] ?? nowMs)) } };
    }
    this.#nonces.add(origin, nonce);
    const version = agreeOn(ourVersions, versions);
    if (version === undefined) {
      refused('introductionVersion', origin, { ours: ourVersions, theirs: wellFormed(versions) });
      return { status: 400, content: { errcode: 'FR_VIADUC_VERSION', error: `this bridge speaks ${ourVersions.join(', ')}`, versions: ourVersions } };
    }
    return { status: 200, content: { version, url: publicUrl, key: keys.issue({ server: origin, version }) } };
  }
}

function refusal(status: number, errcode: string, error: string): Answer {
  return { status, content: { errcode, error } };
}

const invitation = z.object({
  version: versionText,
  url: z.url({ protocol: /^wss?$/ }).max(2048).transform((text) => new URL(text)).refine(({ username, password, hash }) => username === '' && password === '' && hash === '', 'holds more than an address'),
  key: keyText,
});

/** The side that asks. @throws what `ask` throws, but NotCarried */
export async function askThroughHomeservers(introducer: Pick<Introducer, 'ask'>, neighbour: ServerName, log: Logger): Promise<Result<Invitation, Declined>> {
  let answer: Awaited<ReturnType<Introducer['ask']>>;
  try {
    answer = await introducer.ask(neighbour, introducePath, { versions: ourVersions, nonce: randomBytes(24).toString('base64url') });
  } catch (error) {
    if (error instanceof NotCarried) return missing(error.message);
    throw error;
  }
  const { status, content } = answer;
  if (status !== 200) return refusedBy(neighbour, status, content, log);
  const parsed = invitation.safeParse(content);
  if (!parsed.success) return declined(`the bridge of ${neighbour} answers an introduction wrongly: ${shapeInWords(parsed.error)}`);
  const version = chosenVersion(neighbour, parsed.data.version);
  return version.ok ? ok({ ...parsed.data, version: version.value }) : version;
}

function refusedBy(neighbour: ServerName, status: number, content: unknown, log: Logger): { readonly ok: false; readonly error: Declined } {
  const errcode = errcodeIn(content);
  if (errcode === 'FR_VIADUC_VERSION') return noCommonVersion(neighbour, content, log);
  if (status === 404) return missing(`the homeserver of ${neighbour} hands no requests to a bridge: it has none, or lacks Synapse 1.163 with experimental_features.msc4512_enabled: true`);
  if (status === 403) return declined(`${neighbour} refuses: its operator must list this bridge among the neighbours, and let its homeserver speak with ours (${errcode})`);
  if (status === 401) return declined(`the homeserver of ${neighbour} does not take our homeserver's signature (${errcode}): check the clocks of both, and that each reaches the other's keys`);
  // A homeserver that does not reach its bridge says no more than this.
  if (status === 500 || status === 502 || status === 504) return declined(`the homeserver of ${neighbour} does not reach its bridge (status ${status}): its operator should check that the bridge runs, and the proxy_url of its registration`);
  return declined(refusalInWords(`the bridge of ${neighbour}`, status, content));
}
