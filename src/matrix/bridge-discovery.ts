// Owns the way from a server name to the bridge that it publishes for other bridges (docs/protocol/cascade.md §1.2).
import { z } from 'zod';
import type { ServerName } from '../call/ids.ts';
import type { Clock } from '../control/ports/clock.ts';
import { addressPolicy } from '../util/addresses.ts';
import { err, ok, type Result } from '../util/result.ts';
import { safeFetch, type SafeFetch } from '../util/safe-fetch.ts';
import { WellKnown } from './well-known.ts';

export interface BridgeDiscoveryOptions {
  /** CIDR. */
  readonly privateAddresses: readonly string[];
  readonly clock: Clock;
  readonly fetch?: SafeFetch;
}

/** In `/.well-known/matrix/client` of a server name: where its bridge is. */
export const bridgeKey = 'fr.viaduc.bridge';

const maxBodyBytes = 65_536;
const deadlineMs = 3_000;

const address = z
  .url({ protocol: /^https$/ })
  .max(2048)
  .transform((text) => new URL(text.replace(/\/+$/, '')))
  .refine(({ username, password, search, hash }) => [username, password, search, hash].every((part) => part === ''));
const document = z.object({ [bridgeKey]: z.object({ url: address }) });

/** undefined in value: the server publishes none. The error says why it could not be asked. */
export type BridgeDiscovery = (server: ServerName, signal: AbortSignal) => Promise<Result<URL | undefined, string>>;

export function bridgeDiscovery({ privateAddresses, clock, fetch = safeFetch }: BridgeDiscoveryOptions): BridgeDiscovery {
  const wellKnown = new WellKnown({ fetch, policy: addressPolicy(privateAddresses), clock, document: 'client', maxBodyBytes, deadlineMs, read: bridgeIn });
  return async (server, signal) => {
    const { value, fault } = await wellKnown.lookUp(server.replace(/:\d+$/, ''), signal);
    return fault === undefined ? ok(value) : err(fault);
  };
}

function bridgeIn(content: unknown): URL | undefined {
  return document.safeParse(content).data?.[bridgeKey].url;
}
