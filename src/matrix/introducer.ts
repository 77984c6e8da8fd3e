// Owns the way from our bridge to another through both homeservers (MSC4512), and why it does not work, in words.
import type { ServerName } from '../call/ids.ts';
import { NotCarried, type Introducer } from '../control/ports/introducer.ts';
import type { BotClient } from './bot-client.ts';
import { HomeserverError } from './homeserver-error.ts';
import { federationPath, type ProxiedRoutes } from './proxied-routes.ts';

export interface IntroducerOptions {
  readonly client: BotClient;
  readonly proxied: ProxiedRoutes;
}

export function createIntroducer({ client, proxied }: IntroducerOptions): Introducer {
  return {
    ask: async (destination, path, body) => {
      try {
        return await client.throughFederation(destination, federationPath + path, { ...body });
      } catch (error) {
        if (!(error instanceof HomeserverError)) throw error;
        // A registration of an earlier version lets us speak to nobody, whatever the homeserver can.
        const isMissing = error.errcode === 'M_UNRECOGNIZED' || error.errcode === 'IO.ELEMENT.MSC4512.M_FEDPROXY_NO_PROXY_PREFIX';
        const Fault = isMissing ? NotCarried : Error;
        throw new Fault(inWords(error, destination), { cause: error });
      }
    },
    answer: (path, handler) => {
      proxied.answer(path, handler);
    },
  };
}

const needed = 'Synapse 1.163 or later with experimental_features.msc4512_enabled: true';
const registerAgain = 'write the registration again with ./viaduc register --force and restart the homeserver';

/** For the operator: what is wrong and where to look. */
function inWords(error: HomeserverError, destination: ServerName): string {
  switch (error.errcode) {
    case 'M_UNRECOGNIZED':
      return `the homeserver does not carry requests between bridges: that takes ${needed}`;
    case 'IO.ELEMENT.MSC4512.M_FEDPROXY_NO_PROXY_PREFIX':
    case 'IO.ELEMENT.MSC4512.M_FEDPROXY_PATH_NOT_ALLOWED':
      return `the registration does not let the bridge speak to others: ${registerAgain}`;
    case 'IO.ELEMENT.MSC4512.M_FEDPROXY_DESTINATION_DENIED':
      return `the homeserver may not speak to ${destination}: is it its own name, or missing from federation_domain_whitelist?`;
    case 'IO.ELEMENT.MSC4512.M_FEDPROXY_CONNECTION_FAILED':
      return `the homeserver does not reach ${destination}: is that homeserver running, and does federation to it work?`;
    default:
      break;
  }
  if (error.status === undefined) return `the homeserver did not carry the request to ${destination} in time: one of the two homeservers does not answer`;
  if (error.status === 401) return 'the homeserver does not know the bridge: it must load the registration file that the bridge uses';
  return `the homeserver did not carry the request to ${destination}: ${error.message}`;
}
