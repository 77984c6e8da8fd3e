// Owns the probes of what media to and from neighbours needs: an address, ports, enough of them.
import { isIP } from 'node:net';
import type { Config } from '../../config/schema.ts';
import { sharesCalls } from '../../config/shares-calls.ts';
import { addressPolicy } from '../../util/addresses.ts';
import { broken, doubtful, good, type Finding } from './finding.ts';
import { udpFault } from './ports.ts';

/** Fewer calls at once than this with every neighbour are soon too few. */
const fewCalls = 10;

/** What the configuration alone tells. Nothing where there are no neighbours. */
export function cascadeFindings(config: Config): Finding[] {
  return !sharesCalls(config) ? [] : [announcedAddress(config), portRange(config)];
}

function announcedAddress({ cascade: { listenIp, announcedAddress: announced } }: Config): Finding {
  const address = announced ?? listenIp;
  const advice = 'Set cascade.announcedAddress to the IP address under which the neighbours reach this machine.';
  if (isIP(address) === 0) return broken(`Neighbours are told to send media to ${address}, which is no IP address`, advice);
  if (address === '0.0.0.0' || address === '::') return broken(`Neighbours are told to send media to ${address}`, advice);
  if (isIP(listenIp) !== isIP(address)) return broken(`Media of neighbours is awaited at ${listenIp}, but sent to ${address}`, 'Let cascade.listenIp and cascade.announcedAddress both be IPv4, or both IPv6.');
  if (!addressPolicy([]).allows(address)) return doubtful(`Neighbours are told to send media to ${address}: a private address`, `They do so only if they list its network in access.privateAddresses; otherwise set cascade.announcedAddress.`);
  return good(`Media of neighbours comes to ${address}`);
}

function portRange({ cascade: { firstPort, lastPort }, media, neighbours: { length } }: Config): Finding {
  // Where any server may be a neighbour nobody knows how many come.
  const neighbours = Math.max(1, length);
  const widen = 'Widen cascade.firstPort–lastPort: each call takes one port for each neighbour. Open the ports to the neighbours.';
  const count = lastPort - firstPort + 1;
  if (count < 1) return broken(`cascade.lastPort (${lastPort}) comes before cascade.firstPort (${firstPort})`, widen);
  if (firstPort < media.firstPort + media.workers && media.firstPort <= lastPort) return broken(`The ports of cascade (${firstPort} to ${lastPort}) and of media (${media.firstPort} to ${media.firstPort + media.workers - 1}) overlap`, 'Move cascade.firstPort and lastPort.');
  const calls = Math.floor(count / neighbours);
  const summary = `${count} port${count === 1 ? '' : 's'} for ${neighbours} neighbour${neighbours === 1 ? '' : 's'}: ${calls} call${calls === 1 ? '' : 's'} at once with all of them`;
  if (calls === 0) return broken(summary, widen);
  return calls < fewCalls ? doubtful(summary, widen) : good(summary);
}

/** Can each port be opened? Only while the bridge does not run. */
export async function cascadePorts(config: Config): Promise<Finding[]> {
  const { listenIp, firstPort, lastPort } = config.cascade;
  if (!sharesCalls(config) || lastPort < firstPort) return [];
  const taken: string[] = [];
  for (let port = firstPort; port <= lastPort; port++) {
    const fault = await udpFault(listenIp, port);
    if (fault !== undefined) taken.push(`${port} (${fault})`);
  }
  const total = lastPort - firstPort + 1;
  if (taken.length === 0) return [good(`Ports ${firstPort} to ${lastPort}/udp are free (cascade)`)];
  const what = `${taken.length} of ${total} ports from ${firstPort} to ${lastPort}/udp on ${listenIp} cannot be opened (cascade): ${taken.slice(0, 3).join(', ')}${taken.length > 3 ? ', …' : ''}`;
  const advice = 'Stop what uses them, choose other ports under cascade, or correct cascade.listenIp.';
  return [taken.length === total ? broken(what, advice) : doubtful(what, advice)];
}
