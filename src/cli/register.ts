// Owns ./viaduc register: writes the registration once and prints what the homeserver's operator adds.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { makeRegistration } from '../matrix/make-registration.ts';

/** The exit status: 1 if there is a registration already and `force` is not given. */
export function register(configPath: string, force: boolean): Promise<number> {
  const config = loadConfig(configPath);
  if (existsSync(config.registration) && !force) {
    process.stderr.write(`${config.registration} exists already. Overwriting it cuts the bridge off from the homeserver until that is restarted with the new one; if you want that, add --force.\n`);
    return Promise.resolve(1);
  }
  const url = `http://${config.appservice.host}:${config.appservice.port}`;
  const text = makeRegistration({ serverName: config.homeserver.serverName, url, botLocalpart: config.bot.localpart });
  if (force) rmSync(config.registration, { force });
  writeFileSync(config.registration, text, { mode: 0o600, flag: 'wx' });
  process.stdout.write(nextSteps(config));
  return Promise.resolve(0);
}

function nextSteps({ registration, http }: Config): string {
  return `Written: ${registration} (secret; the homeserver's user must be able to read it)

Add to homeserver.yaml and restart the homeserver:

app_service_config_files:
  - ${registration}
# The transport that Matrix clients with a call button find (MSC4143).
matrix_rtc:
  transports:
    - type: livekit
      livekit_service_url: ${http.publicUrl}
# Who leaves without saying so is taken out of a call (MSC4140).
max_event_delay_duration: 24h
experimental_features:
  msc4143_enabled: true
  # Bridges of other organisations reach this one through both homeservers (MSC4512, Synapse 1.163).
  msc4512_enabled: true

Older clients look at https://<server name>/.well-known/matrix/client; add there:

"org.matrix.msc4143.rtc_foci": [{ "type": "livekit", "livekit_service_url": "${http.publicUrl}" }]

Then: ./viaduc check --config FILE, and invite the bot to a room.
`;
}
