// Owns questions to the federation API of a server that somebody names: where it is, and that no forbidden address is asked.
import { Resolver } from 'node:dns/promises';
import type { ServerName } from '../call/ids.ts';
import type { Clock } from '../control/ports/clock.ts';
import { addressPolicy, type AddressPolicy } from '../util/addresses.ts';
import { beforeAbort } from '../util/before-abort.ts';
import { err, type Result } from '../util/result.ts';
import { safeFetch, type SafeFetchError, type SafeResponse } from '../util/safe-fetch.ts';
import { ServerDiscovery, type FederationTarget, type SrvRecord } from './server-discovery.ts';

export interface FederationOptions {
  readonly own: { readonly serverName: ServerName; readonly federationUrl?: string | undefined };
  /** CIDR. */
  readonly privateAddresses: readonly string[];
  readonly clock: Clock;
  /** Where SRV records come from; default: the system's DNS servers. */
  readonly srv?: (name: string) => Promise<readonly SrvRecord[]>;
}

/** A GET of a path below the server's federation API, within five seconds. */
export type FederationAsker = (server: ServerName, path: string) => Promise<Result<SafeResponse, SafeFetchError>>;

const deadlineMs = 5_000;
const maxBodyBytes = 16 * 1024;
const anyAddress: AddressPolicy = { allows: () => true };

export function federationAsker({ own, privateAddresses, clock, srv = systemSrv() }: FederationOptions): FederationAsker {
  const policy = addressPolicy(privateAddresses);
  const discovery = new ServerDiscovery({ fetch: safeFetch, srv, policy, clock });
  return async (server, path) => {
    const signal = AbortSignal.timeout(deadlineMs);
    const configured = server === own.serverName ? own.federationUrl : undefined;
    if (configured !== undefined) return await askConfigured(new URL(configured), path, signal);
    const targets = await beforeAbort(discovery.resolve(server, signal), signal).catch(() => undefined);
    if (targets === undefined) return err({ kind: 'timeout', detail: `${server} was not found in time` });
    return await askFirstThatAnswers(targets, { path, policy, signal });
  };
}

async function askFirstThatAnswers(targets: readonly FederationTarget[], common: { readonly path: string; readonly policy: AddressPolicy; readonly signal: AbortSignal }): Promise<Result<SafeResponse, SafeFetchError>> {
  let last: Result<SafeResponse, SafeFetchError> = err({ kind: 'unresolvable', detail: 'the server says that it has no federation API' });
  for (const target of targets) {
    last = await safeFetch({ protocol: 'https:', ...target, ...common, maxBodyBytes });
    if (last.ok || last.error.kind === 'timeout') return last;
  }
  return last;
}

/** The operator's word is enough: any address, and clear text. */
async function askConfigured(url: URL, path: string, signal: AbortSignal): Promise<Result<SafeResponse, SafeFetchError>> {
  const isTls = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return await safeFetch({
    protocol: isTls ? 'https:' : 'http:',
    host,
    port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
    hostHeader: url.host,
    certificateName: host,
    path: `${url.pathname.replace(/\/$/, '')}${path}`,
    policy: anyAddress,
    maxBodyBytes,
    signal,
  });
}

function systemSrv(): (name: string) => Promise<readonly SrvRecord[]> {
  const resolver = new Resolver({ timeout: 1_000, tries: 2 });
  return async (name) => {
    if (/(^|\.)localhost\.?$/i.test(name)) return [];
    return await resolver.resolveSrv(name).catch((): readonly SrvRecord[] => []);
  };
}
