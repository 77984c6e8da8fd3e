// Owns where a name that strangers gave leads: looked up once, checked, and nothing else is connected to.
import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import type { AddressPolicy } from './addresses.ts';
import { asError } from './background.ts';
import { beforeAbort } from './before-abort.ts';
import { err, ok, type Result } from './result.ts';

export interface LookupRequest {
  /** A name or an IP address, IPv6 without brackets. */
  readonly host: string;
  readonly policy: AddressPolicy;
  readonly signal: AbortSignal;
}

export interface LookupError {
  readonly kind: 'forbiddenAddress' | 'unresolvable' | 'timeout';
  readonly detail: string;
}

/** Post: at least one address, each allowed by the policy. */
export async function allowedAddresses({ host, policy, signal }: LookupRequest): Promise<Result<readonly LookupAddress[], LookupError>> {
  const found = await addressesOf(host, signal);
  if (!found.ok) return found;
  const allowed = found.value.filter(({ address }) => policy.allows(address));
  if (allowed.length > 0) return ok(allowed);
  return err({ kind: 'forbiddenAddress', detail: `${host} is at ${found.value.map(({ address }) => address).join(', ')}, where the bridge may not ask` });
}

async function addressesOf(host: string, signal: AbortSignal): Promise<Result<readonly LookupAddress[], LookupError>> {
  const family = isIP(host);
  if (family !== 0) return ok([{ address: host, family }]);
  // RFC 6761: names under localhost are this machine, whatever a resolver says.
  if (/(^|\.)localhost\.?$/i.test(host)) return ok([{ address: '127.0.0.1', family: 4 }]);
  try {
    // Looking up a name cannot be cancelled; waiting for it can.
    return ok(await beforeAbort(lookup(host, { all: true }), signal));
  } catch (error) {
    if (signal.aborted) return err({ kind: 'timeout', detail: `${host} was not resolved in time` });
    return err({ kind: 'unresolvable', detail: `${host} cannot be resolved: ${asError(error).message}` });
  }
}

/** Node connects to one of these and asks nobody else. */
export function pinned(addresses: readonly LookupAddress[]): LookupFunction {
  return (_host, options, callback) => {
    const [first] = addresses;
    if (options.all === true) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family);
  };
}
