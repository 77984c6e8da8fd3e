// Owns introductions: the keys that we hand out to neighbours, and asking a neighbour for one.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { ServerName } from '../call/ids.ts';
import type { Clock } from '../control/ports/clock.ts';
import type { Introducer } from '../control/ports/introducer.ts';
import { Secret, type Logger } from '../log/logger.ts';
import { err, ok, type Result } from '../util/result.ts';
import type { CascadeLimits } from './limits.ts';
import { sometimes } from '../util/sometimes.ts';
import { agreeOn, ourVersions, parseVersion } from './version.ts';

export const introducePath = 'cascade/introduce';

export interface IntroductionsOptions {
  readonly neighbours: ReadonlySet<ServerName>;
  /** Given to neighbours: `wss://…/cascade`. */
  readonly publicUrl: string;
  readonly clock: Clock;
  readonly limits: Pick<CascadeLimits, 'keyLifetimeMs' | 'introductionsPerMinute'>;
  readonly log: Logger;
}

/** Whoever shows a key is this server's bridge and speaks this version. */
export interface Introduced {
  readonly server: ServerName;
  readonly version: string;
}

interface Issued extends Introduced {
  readonly digest: Buffer;
  readonly untilMs: number;
}

interface Answer {
  readonly status: number;
  readonly content: object;
}

const request = z.object({
  versions: z.array(z.string().max(16)).min(1).max(32),
  nonce: z.string().regex(/^[A-Za-z0-9_-]{22,64}$/),
});
const minuteMs = 60_000;
/** A request that somebody has recorded and sends again gets no key for so long. */
const nonceLifetimeMs = 10 * minuteMs;

/** The side that is asked. */
export class Introductions {
  readonly #options: IntroductionsOptions;
  readonly #mayLog: () => boolean;
  #issued: readonly Issued[] = [];
  readonly #nonces = new Map<ServerName, ReadonlyMap<string, number>>();

  constructor(options: IntroductionsOptions) {
    this.#options = options;
    this.#mayLog = sometimes(options.clock);
  }

  /** Answers `cascade/introduce`. `origin` was verified by our homeserver. */
  answer(origin: ServerName, body: unknown): Answer {
    const { neighbours, log, clock, limits, publicUrl } = this.#options;
    if (!neighbours.has(origin)) {
      if (this.#mayLog()) log.warn('introduction refused: not a neighbour', { server: origin, hint: 'list it under neighbours if calls with it are wanted' });
      return refusal(403, 'M_FORBIDDEN', 'this bridge does not list yours among its neighbours');
    }
    const parsed = request.safeParse(body);
    if (!parsed.success) return refusal(400, 'M_BAD_JSON', 'an introduction holds versions and a nonce');
    const { versions, nonce } = parsed.data;
    const nowMs = clock.nowMs();
    const nonces = new Map([...(this.#nonces.get(origin) ?? [])].filter(([, atMs]) => nowMs - atMs < nonceLifetimeMs));
    if (nonces.has(nonce)) return refusal(403, 'M_FORBIDDEN', 'this nonce was used before');
    const lastMinute = [...nonces.values()].filter((atMs) => nowMs - atMs < minuteMs);
    if (lastMinute.length >= limits.introductionsPerMinute) {
      log.warn('introduction refused: too many', { server: origin });
      return { status: 429, content: { errcode: 'M_LIMIT_EXCEEDED', error: 'too many introductions', retry_after_ms: minuteMs - (nowMs - Math.min(...lastMinute)) } };
    }
    this.#nonces.set(origin, nonces.set(nonce, nowMs));
    const version = agreeOn(ourVersions, versions);
    if (version === undefined) {
      log.warn('introduction refused: no common version', { server: origin, ours: ourVersions, theirs: versions.filter((text) => parseVersion(text) !== undefined) });
      return { status: 400, content: { errcode: 'FR_VIADUC_VERSION', error: `this bridge speaks ${ourVersions.join(', ')}`, versions: ourVersions } };
    }
    const key = randomBytes(32).toString('base64url');
    this.#issued = [...this.#live(), { server: origin, version, digest: digestOf(key), untilMs: nowMs + limits.keyLifetimeMs }];
    return { status: 200, content: { version, url: publicUrl, key } };
  }

  /** Post: the key is worth nothing any more. undefined: it was never given, is used or too old. Takes the same time whatever was sent. */
  redeem(key: string): Introduced | undefined {
    const digest = digestOf(key);
    let found: Issued | undefined;
    for (const issued of this.#live()) if (timingSafeEqual(issued.digest, digest)) found = issued;
    this.#issued = this.#live().filter((issued) => issued !== found);
    return found;
  }

  #live(): readonly Issued[] {
    const nowMs = this.#options.clock.nowMs();
    return this.#issued.filter(({ untilMs }) => untilMs > nowMs);
  }
}

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

function refusal(status: number, errcode: string, error: string): Answer {
  return { status, content: { errcode, error } };
}

export interface Invitation {
  readonly version: string;
  readonly url: URL;
  readonly key: Secret<string>;
}

const invitation = z.object({
  version: z.string().max(16),
  url: z.url({ protocol: /^wss?$/ }).max(2048).transform((text) => new URL(text)).refine(({ username, password, hash }) => username === '' && password === '' && hash === '', 'holds more than an address'),
  key: z.string().regex(/^[A-Za-z0-9_-]{43}$/).transform((text) => new Secret(text)),
});
const fault = z.object({ errcode: z.string().max(64).catch('no errcode') });
const versionFault = z.object({ versions: z.array(z.string().max(16)).max(32) });

/** The side that asks. @throws what `ask` throws. The error is for the operator. */
export async function askForInvitation(introducer: Pick<Introducer, 'ask'>, neighbour: ServerName, log: Logger): Promise<Result<Invitation, string>> {
  const { status, content } = await introducer.ask(neighbour, introducePath, { versions: ourVersions, nonce: randomBytes(24).toString('base64url') });
  const errcode = fault.safeParse(content).data?.errcode ?? 'no errcode';
  if (status === 403) return err(`${neighbour} refuses: its operator must list this bridge among the neighbours (${errcode})`);
  if (status === 404) return err(`the homeserver of ${neighbour} hands no requests to a bridge: it has none, or lacks Synapse 1.163 with experimental_features.msc4512_enabled: true`);
  if (errcode === 'FR_VIADUC_VERSION') {
    const theirs = (versionFault.safeParse(content).data?.versions ?? []).filter((text) => parseVersion(text) !== undefined);
    log.warn('no common version with a neighbour', { server: neighbour, ours: ourVersions, theirs });
    return err(`no common version of the cascade: ours ${ourVersions.join(', ')}, theirs ${theirs.join(', ')}: the older bridge must be updated`);
  }
  if (status !== 200) return err(`the bridge of ${neighbour} does not introduce itself: status ${status}, ${JSON.stringify(errcode)}`);
  const parsed = invitation.safeParse(content);
  if (!parsed.success) return err(`the bridge of ${neighbour} answers an introduction wrongly: ${parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`);
  const agreed = agreeOn(ourVersions, [parsed.data.version]);
  if (agreed === undefined) return err(`the bridge of ${neighbour} has chosen a version that was not offered: ${JSON.stringify(parsed.data.version)}`);
  return ok({ ...parsed.data, version: agreed });
}
