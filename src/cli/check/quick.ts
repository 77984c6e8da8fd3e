// Owns the probes that cost nothing: what can be seen from the configuration and this machine alone.
import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import { readRegistration, workerBinary } from '../../bridge.ts';
import type { Config } from '../../config/schema.ts';
import { asError } from '../../util/background.ts';
import { broken, doubtful, good, type Finding } from './finding.ts';

export function quickFindings(config: Config): Finding[] {
  return [registration(config), worker(config), dataFolder(config), publicUrl(config), frameAncestors(config), mediaAddress(config)];
}

/** Can be read, is kept from others, and names our port. */
export function registration(config: Config): Finding {
  try {
    const { url } = readRegistration(config);
    const mode = statSync(config.registration).mode & 0o077;
    if ((mode & 0o007) !== 0) return doubtful(`The registration ${config.registration} can be read by everybody on this machine`, `chmod o-rwx ${config.registration}`);
    const { port } = new URL(url);
    if (port !== String(config.appservice.port)) return doubtful(`The registration tells the homeserver ${url}, the bridge listens on port ${config.appservice.port}`, 'Correct one of them; after a change of the registration restart the homeserver.');
    return good(`The registration ${config.registration} fits the configuration`);
  } catch (error) {
    return broken(asError(error).message, 'Write it with ./viaduc register --config FILE.');
  }
}

function worker(config: Config): Finding {
  try {
    const path = workerBinary(config);
    accessSync(path, constants.X_OK);
    return good(`The media worker ${path} is there`);
  } catch (error) {
    return broken(`The media worker cannot be run: ${asError(error).message}`, 'Start with ./viaduc, which builds it, or set media.workerBinary.');
  }
}

function dataFolder({ dataFolder: path }: Config): Finding {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.W_OK);
    return good(`The data folder ${path} can be written`);
  } catch (error) {
    return broken(`The data folder ${path} cannot be written: ${asError(error).message}`, 'Give it to the user who runs Viaduc, or set dataFolder.');
  }
}

function publicUrl({ http }: Config): Finding {
  const { protocol, hostname, pathname } = new URL(http.publicUrl);
  if (pathname !== '/') return broken(`http.publicUrl has a path (${pathname})`, 'Use a host name of its own: LiveKit clients expect their paths at the root.');
  const local = hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '127.0.0.1';
  if (protocol === 'http:' && !local) return broken(`http.publicUrl is not https (${http.publicUrl})`, 'Browsers give camera and microphone to https pages only: put a reverse proxy with a certificate before the bridge.');
  return good(`The public address is ${http.publicUrl}`);
}

function frameAncestors({ http }: Config): Finding {
  return http.frameAncestors.length > 0 ? good(`The call page may be shown in ${http.frameAncestors.join(', ')}`) : doubtful('No Matrix client may show the call page as a widget', 'List their origins in http.frameAncestors; until then people use the link in the notice.');
}

const privateNetworks = new BlockList();
for (const [network, prefix] of [['10.0.0.0', 8], ['172.16.0.0', 12], ['192.168.0.0', 16], ['127.0.0.0', 8], ['169.254.0.0', 16]] as const) privateNetworks.addSubnet(network, prefix);

function mediaAddress({ media }: Config): Finding {
  const announced = media.announcedAddress ?? media.listenIp;
  if (announced === '0.0.0.0' || announced === '::') return broken(`Clients are told to send media to ${announced}`, 'Set media.announcedAddress to the address that clients reach.');
  const ports = media.workers === 1 ? String(media.firstPort) : `${media.firstPort} to ${media.firstPort + media.workers - 1}`;
  const summary = `Media goes to ${announced}, UDP and TCP, ports ${ports}`;
  if (isIP(announced) === 4 && privateNetworks.check(announced)) return doubtful(`${summary}: a private address`, 'People outside that network will not hear anything; set media.announcedAddress if they should.');
  return good(summary);
}
