// Owns the making of registration.yaml, once in the life of a bridge. The library that it takes is loaded for nothing else.
import { AppServiceRegistration } from 'matrix-appservice-bridge';
import { stringify } from 'yaml';
import type { ServerName } from '../call/ids.ts';
import { proxiedPath } from './proxied-routes.ts';

export interface RegistrationChoices {
  readonly serverName: ServerName;
  /** `http://127.0.0.1:9340`, as seen from the homeserver. */
  readonly url: string;
  readonly botLocalpart: string;
}

const id = 'viaduc';

/**
 * The text of a new registration.yaml, with fresh random tokens.
 * Its sender cannot /sync at Synapse, so that the bot is a user of the namespace instead.
 */
export function makeRegistration({ serverName, url, botLocalpart }: RegistrationChoices): string {
  const registration = new AppServiceRegistration(url);
  registration.setId(id);
  registration.setAppServiceToken(AppServiceRegistration.generateToken());
  registration.setHomeserverToken(AppServiceRegistration.generateToken());
  registration.setSenderLocalpart(id);
  registration.setRateLimited(false);
  registration.pushEphemeral = false;
  for (const localpart of [escapeRegex(botLocalpart), `${escapeRegex(botLocalpart)}_.*`]) registration.addRegexPattern('users', `@${localpart}:${escapeRegex(serverName)}`, true);
  const header = '# Lets Viaduc and the homeserver know each other. Secret: readable by both of them and by nobody else.\n';
  return header + stringify({ ...registration.getOutput(), receive_ephemeral: false, ...proxying(url) });
}

/** Lets bridges reach each other through their homeservers (MSC4512). A homeserver that does not know it reads past it. */
function proxying(url: string): Readonly<Record<string, string>> {
  return { 'io.element.msc4512.proxy_prefix': 'rtc/livekit', 'io.element.msc4512.proxy_url': url.replace(/\/+$/, '') + proxiedPath };
}

function escapeRegex(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}
