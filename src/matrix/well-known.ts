// Owns documents under /.well-known/matrix/ of strangers: asked for with redirects, small and in time, and kept as long as they say.
import type { Clock } from '../control/ports/clock.ts';
import type { AddressPolicy } from '../util/addresses.ts';
import type { SafeFetch } from '../util/safe-fetch.ts';

export interface WellKnownOptions<T> {
  readonly fetch: SafeFetch;
  readonly policy: AddressPolicy;
  readonly clock: Clock;
  /** Below `/.well-known/matrix/`. */
  readonly document: 'server' | 'client';
  readonly maxBodyBytes: number;
  readonly deadlineMs: number;
  /** What the document says; undefined: nothing about this. */
  readonly read: (content: unknown) => T | undefined;
}

export interface WellKnownAnswer<T> {
  readonly value: T | undefined;
  /** Why there is no value, when the host did not say so itself. */
  readonly fault: string | undefined;
}

const maxRedirects = 5;
const maxCacheEntries = 1_000;
const hourMs = 3600 * 1000;
/** Kept 24 h unless the host says otherwise, and never longer than 48 h; its absence a shorter time. */
const keepMs = { byDefault: 24 * hourMs, atMost: 48 * hourMs, atLeast: 5 * 60 * 1000, absence: hourMs, failure: 60 * 1000 };

interface Kept<T> extends WellKnownAnswer<T> {
  readonly keepMs: number;
}

export class WellKnown<T> {
  readonly #options: WellKnownOptions<T>;
  readonly #cache = new Map<string, WellKnownAnswer<T> & { readonly untilMs: number }>();

  constructor(options: WellKnownOptions<T>) {
    this.#options = options;
  }

  /** @param host a name or an IP address, IPv6 in brackets. Never rejects: whatever goes wrong is a fault */
  async lookUp(host: string, signal: AbortSignal): Promise<WellKnownAnswer<T>> {
    const { clock } = this.#options;
    const known = this.#cache.get(host);
    if (known !== undefined && known.untilMs > clock.nowMs()) return known;
    const { value, fault, keepMs: keptMs } = await this.#ask(host, signal);
    if (this.#cache.size >= maxCacheEntries) this.#cache.clear();
    const answer = { value, fault, untilMs: clock.nowMs() + keptMs };
    this.#cache.set(host, answer);
    return answer;
  }

  /** Hosts that only drop packets must leave time for the rest. */
  async #ask(host: string, callerSignal: AbortSignal): Promise<Kept<T>> {
    const { fetch, policy, document, maxBodyBytes, deadlineMs } = this.#options;
    const signal = AbortSignal.any([callerSignal, AbortSignal.timeout(deadlineMs)]);
    let url = new URL(`https://${host}/.well-known/matrix/${document}`);
    for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
      const at = url.hostname.replace(/^\[(.*)\]$/, '$1');
      const target = { host: at, port: url.port === '' ? 443 : Number(url.port), hostHeader: url.host, certificateName: at, path: `${url.pathname}${url.search}` };
      const answer = await fetch({ protocol: 'https:', ...target, policy, maxBodyBytes, signal });
      if (!answer.ok) return { value: undefined, fault: answer.error.detail, keepMs: keepMs.failure };
      const { status, headers, body } = answer.value;
      if (status === 200) return this.#read(body, headers['cache-control']);
      const next = [301, 302, 303, 307, 308].includes(status) ? URL.parse(headers.location ?? '', url.href) : null;
      if (next?.protocol !== 'https:') return status >= 500 ? { value: undefined, fault: `${url.host} answered ${status}`, keepMs: keepMs.failure } : absent;
      url = next;
    }
    return absent;
  }

  #read(body: string, cacheControl: string | undefined): Kept<T> {
    const value = this.#options.read(parseJson(body));
    if (value === undefined) return absent;
    const maxAge = /(?:^|[\s,])max-age="?(\d{1,9})/i.exec(cacheControl ?? '')?.[1];
    const forbidden = /(?:^|[\s,])no-(?:store|cache)\b/i.test(cacheControl ?? '');
    const wantedMs = forbidden ? 0 : maxAge === undefined ? keepMs.byDefault : Number(maxAge) * 1000;
    return { value, fault: undefined, keepMs: Math.min(keepMs.atMost, Math.max(keepMs.atLeast, wantedMs)) };
  }
}

const absent = { value: undefined, fault: undefined, keepMs: keepMs.absence } as const;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
