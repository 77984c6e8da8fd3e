// Owns the probe of what our server publishes of this bridge, for neighbours whose homeservers carry no requests between bridges.
import type { Config } from '../../config/schema.ts';
import { sharesCalls } from '../../config/shares-calls.ts';
import { bridgeDiscovery, bridgeKey } from '../../matrix/bridge-discovery.ts';
import type { SafeFetch } from '../../util/safe-fetch.ts';
import { systemClock } from '../../util/system.ts';
import { doubtful, good, type Finding } from './finding.ts';

const deadlineMs = 5000;

/** `GET https://<server name>/.well-known/matrix/client`. Nothing where no calls are shared, or the address may not be published. */
export async function published(config: Config, fetch?: SafeFetch): Promise<Finding[]> {
  const { homeserver: { serverName }, http: { publicUrl }, access: { privateAddresses } } = config;
  if (!sharesCalls(config) || !publicUrl.startsWith('https:')) return [];
  const discover = bridgeDiscovery({ privateAddresses, clock: systemClock, ...(fetch && { fetch }) });
  const found = await discover(serverName, AbortSignal.timeout(deadlineMs));
  const where = `https://${serverName.replace(/:\d+$/, '')}/.well-known/matrix/client`;
  const line = `"${bridgeKey}": {"url": "${publicUrl}"}`;
  if (found.ok && found.value !== undefined) {
    const address = found.value.href.replace(/\/$/, '');
    return [address === publicUrl ? good(`${where} names this bridge`) : doubtful(`${where} names another bridge: ${address}`, `Let it say ${line}, or correct http.publicUrl.`)];
  }
  const what = found.ok ? `${where} does not name this bridge` : `${where} could not be asked for this bridge: ${found.error}`;
  // Nothing is wrong: most homeservers carry the requests, and a neighbour may have set our address.
  return [{ level: 'ok', what, advice: `Add ${line} there if a neighbour's homeserver, or yours, lacks msc4512_enabled.` }];
}
