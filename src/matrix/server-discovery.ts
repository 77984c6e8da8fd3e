// Owns the way from a server name to where its federation API is: https://spec.matrix.org/v1.16/server-server-api/#resolving-server-names
import { isIP } from 'node:net';
import { z } from 'zod';
import { isServerName, type ServerName } from '../call/ids.ts';
import type { Clock } from '../control/ports/clock.ts';
import type { AddressPolicy } from '../util/addresses.ts';
import type { SafeFetch } from '../util/safe-fetch.ts';

/** Where to connect, and as whom the server must show itself. */
export interface FederationTarget {
  /** A name or an IP address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly hostHeader: string;
  readonly certificateName: string;
}

export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

export interface ServerDiscoveryOptions {
  readonly fetch: SafeFetch;
  /** Records of that name; none if there are none or nobody knows. Never rejects. */
  readonly srv: (name: string) => Promise<readonly SrvRecord[]>;
  readonly policy: AddressPolicy;
  readonly clock: Clock;
}

const defaultPort = 8448;
const maxWellKnownBytes = 16 * 1024;
const wellKnownDeadlineMs = 2_000;
const maxRedirects = 5;
const maxTargets = 3;
const maxCacheEntries = 1_000;
const hourMs = 3600 * 1000;
/** Delegation is kept 24 h unless the server says otherwise, and never longer than 48 h; its absence a shorter time. */
const keepMs = { byDefault: 24 * hourMs, atMost: 48 * hourMs, atLeast: 5 * 60 * 1000, absence: hourMs, failure: 60 * 1000 };

const wellKnown = z.object({ 'm.server': z.string().refine(isServerName, 'not a server name') });

interface Cached {
  readonly delegated: ServerName | undefined;
  readonly untilMs: number;
}

export class ServerDiscovery {
  readonly #options: ServerDiscoveryOptions;
  readonly #delegations = new Map<string, Cached>();

  constructor(options: ServerDiscoveryOptions) {
    this.#options = options;
  }

  /** Where that server's federation API may be, best first; nowhere if the server says so. */
  async resolve(server: ServerName, signal: AbortSignal): Promise<readonly FederationTarget[]> {
    const name = splitServerName(server);
    // Steps 1 and 2: an address, or a port.
    if (isAddress(name) || name.port !== undefined) return [direct(name)];
    // Step 3: the server says where to ask.
    const delegation = await this.#delegation(name.host, signal);
    const delegated = delegation === undefined ? name : splitServerName(delegation);
    // Steps 3.1 and 3.2.
    if (isAddress(delegated) || delegated.port !== undefined) return [direct(delegated)];
    // Steps 3.3 to 3.5 for the delegated name, 4 to 6 for the name itself.
    return await this.#byRecords(delegated.host);
  }

  async #byRecords(host: string): Promise<readonly FederationTarget[]> {
    for (const service of ['_matrix-fed', '_matrix']) {
      const records = await this.#options.srv(`${service}._tcp.${host}`);
      const targets = [...records].filter(({ name }) => name !== '' && name !== '.').sort((a, b) => a.priority - b.priority || b.weight - a.weight);
      if (targets.length > 0) return targets.slice(0, maxTargets).map(({ name, port }) => ({ host: name.replace(/\.$/, ''), port, hostHeader: host, certificateName: host }));
      // A single "." says that there is decidedly no such service (RFC 2782).
      if (records.length > 0) return [];
    }
    return [{ host, port: defaultPort, hostHeader: host, certificateName: host }];
  }

  async #delegation(host: string, signal: AbortSignal): Promise<ServerName | undefined> {
    const { clock } = this.#options;
    const known = this.#delegations.get(host);
    if (known !== undefined && known.untilMs > clock.nowMs()) return known.delegated;
    const { delegated, keepMs: keptMs } = await this.#askWellKnown(host, signal);
    if (this.#delegations.size >= maxCacheEntries) this.#delegations.clear();
    this.#delegations.set(host, { delegated, untilMs: clock.nowMs() + keptMs });
    return delegated;
  }

  /** Whatever goes wrong means: no delegation. Hosts that only drop packets must leave time for the rest. */
  async #askWellKnown(host: string, callerSignal: AbortSignal): Promise<Delegation> {
    const { fetch, policy } = this.#options;
    const signal = AbortSignal.any([callerSignal, AbortSignal.timeout(wellKnownDeadlineMs)]);
    let url = new URL(`https://${host}/.well-known/matrix/server`);
    for (let redirects = 0; redirects <= maxRedirects; redirects += 1) {
      const at = unbracketed(url.hostname);
      const target = { host: at, port: url.port === '' ? 443 : Number(url.port), hostHeader: url.host, certificateName: at, path: `${url.pathname}${url.search}` };
      const answer = await fetch({ protocol: 'https:', ...target, policy, maxBodyBytes: maxWellKnownBytes, signal });
      if (!answer.ok) return { delegated: undefined, keepMs: keepMs.failure };
      const { status, headers, body } = answer.value;
      if (status === 200) return delegationIn(body, headers['cache-control']);
      const next = [301, 302, 303, 307, 308].includes(status) ? URL.parse(headers.location ?? '', url.href) : null;
      if (next?.protocol !== 'https:') return { delegated: undefined, keepMs: status >= 500 ? keepMs.failure : keepMs.absence };
      url = next;
    }
    return { delegated: undefined, keepMs: keepMs.absence };
  }
}

interface Delegation {
  readonly delegated: ServerName | undefined;
  readonly keepMs: number;
}

function delegationIn(body: string, cacheControl: string | undefined): Delegation {
  const content = wellKnown.safeParse(parseJson(body));
  if (!content.success) return { delegated: undefined, keepMs: keepMs.absence };
  const maxAge = /(?:^|[\s,])max-age="?(\d{1,9})/i.exec(cacheControl ?? '')?.[1];
  const forbidden = /(?:^|[\s,])no-(?:store|cache)\b/i.test(cacheControl ?? '');
  const wantedMs = forbidden ? 0 : maxAge === undefined ? keepMs.byDefault : Number(maxAge) * 1000;
  return { delegated: content.data['m.server'], keepMs: Math.min(keepMs.atMost, Math.max(keepMs.atLeast, wantedMs)) };
}

interface SplitName {
  readonly host: string;
  readonly port: number | undefined;
}

function splitServerName(server: ServerName): SplitName {
  const match = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(server);
  return { host: match?.[1] ?? server, port: match?.[2] === undefined ? undefined : Number(match[2]) };
}

function isAddress({ host }: SplitName): boolean {
  return isIP(unbracketed(host)) !== 0;
}

/** Steps 1, 2, 3.1 and 3.2: the name itself, with its port where it has one. */
function direct({ host, port }: SplitName): FederationTarget {
  return { host: unbracketed(host), port: port ?? defaultPort, hostHeader: port === undefined ? host : `${host}:${port}`, certificateName: unbracketed(host) };
}

function unbracketed(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
