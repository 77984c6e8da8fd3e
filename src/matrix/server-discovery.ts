// Owns the way from a server name to where its federation API is: https://spec.matrix.org/v1.16/server-server-api/#resolving-server-names
import { isIP } from 'node:net';
import { z } from 'zod';
import { isServerName, type ServerName } from '../call/ids.ts';
import type { Clock } from '../control/ports/clock.ts';
import type { AddressPolicy } from '../util/addresses.ts';
import type { SafeFetch } from '../util/safe-fetch.ts';
import { WellKnown } from './well-known.ts';

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
const maxTargets = 3;

const delegation = z.object({ 'm.server': z.string().refine(isServerName, 'not a server name') });

export class ServerDiscovery {
  readonly #options: ServerDiscoveryOptions;
  readonly #wellKnown: WellKnown<ServerName>;

  constructor(options: ServerDiscoveryOptions) {
    this.#options = options;
    const { fetch, policy, clock } = options;
    this.#wellKnown = new WellKnown({ fetch, policy, clock, document: 'server', maxBodyBytes: maxWellKnownBytes, deadlineMs: wellKnownDeadlineMs, read: (content) => delegation.safeParse(content).data?.['m.server'] });
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

  /** Whatever goes wrong means: no delegation. */
  async #delegation(host: string, signal: AbortSignal): Promise<ServerName | undefined> {
    return (await this.#wellKnown.lookUp(host, signal)).value;
  }
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
