// Owns the configuration of a bridge of the demo or of a spec: one organisation's bridge on its ten ports.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { isServerName, type ServerName } from '../call/ids.ts';
import type { ConfigInput } from '../config/schema.ts';
import { hostOf, type Language, type Organisation, organisationPorts } from './organisations.ts';

export interface BridgeSettings {
  readonly basePort: number;
  readonly organisations: readonly Organisation[];
  /** Whose bridge this is, by its place in `organisations`. */
  readonly index: number;
  /** How many of them, from the first on, have a bridge: those are neighbours. */
  readonly bridges: number;
  /** Kept from run to run: registration, database, keys. */
  readonly folder: string;
  readonly language: Language;
  /** Origins of pages that may show the call page. */
  readonly frameAncestors: readonly string[];
}

export interface BridgeFiles {
  readonly configFile: string;
  /** The registration's content, for the homeserver. */
  readonly registration: Readonly<Record<string, unknown>>;
  /** Where browsers reach the bridge. */
  readonly publicUrl: string;
}

export const botLocalpart = 'visio';
const recordSchema = z.record(z.string(), z.unknown());
const foundSchema = z.looseObject({ as_token: z.string(), hs_token: z.string(), url: z.string() });
const proxyKey = 'io.element.msc4512.proxy_url';

export function serverNameOf(organisation: Organisation, index: number, basePort: number): ServerName {
  const name = `${hostOf(organisation)}:${String(organisationPorts(basePort, index).federation)}`;
  if (!isServerName(name)) throw new Error(`${name} is not a server name`);
  return name;
}

/** Writes bridge.yaml anew, and registration.yaml if there is none that serves; its tokens are kept. */
export async function writeBridgeFiles(settings: BridgeSettings): Promise<BridgeFiles> {
  const { folder, basePort, index } = settings;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const config = bridgeConfig(settings);
  const url = `http://127.0.0.1:${String(organisationPorts(basePort, index).appservice)}`;
  const registration = await ensureRegistration(join(folder, 'registration.yaml'), config.homeserver.serverName, url);
  const configFile = join(folder, 'bridge.yaml');
  writeFileSync(configFile, stringify(config), { mode: 0o600 });
  return { configFile, registration, publicUrl: config.http.publicUrl };
}

/** An earlier version's file may lack what bridges need to reach each other, but the homeserver knows its tokens. */
async function ensureRegistration(file: string, serverName: ServerName, url: string): Promise<BridgeFiles['registration']> {
  const found = existsSync(file) ? foundSchema.parse(parse(readFileSync(file, 'utf8'))) : undefined;
  if (found?.url === url && proxyKey in found) return found;
  const { makeRegistration } = await import('../matrix/make-registration.ts');
  const made = recordSchema.parse(parse(makeRegistration({ serverName, url, botLocalpart })));
  const registration = { ...made, ...(found && { as_token: found.as_token, hs_token: found.hs_token }) };
  writeFileSync(file, stringify(registration), { mode: 0o600 });
  return registration;
}

function bridgeConfig({ basePort, organisations, index, bridges, language, frameAncestors }: BridgeSettings): ConfigInput {
  const own = organisations[index];
  if (own === undefined) throw new Error(`There is no organisation ${String(index)}.`);
  const ports = organisationPorts(basePort, index);
  const names = organisations.map((organisation, place) => serverNameOf(organisation, place, basePort));
  const labels: Record<ServerName, string> = Object.fromEntries(organisations.map((organisation, place): [ServerName, string] => [serverNameOf(organisation, place, basePort), organisation.name[language]]));
  return {
    homeserver: { serverName: serverNameOf(own, index, basePort), url: `http://127.0.0.1:${String(ports.client)}` },
    appservice: { port: ports.appservice },
    bot: { localpart: botLocalpart, displayName: 'Visio' },
    organisation: { name: own.name[language], labels },
    http: { port: ports.page, publicUrl: `http://${hostOf(own)}:${String(ports.page)}`, frameAncestors: [...frameAncestors] },
    metrics: { port: ports.metrics },
    media: { listenIp: '127.0.0.1', firstPort: ports.media, workers: ports.cascade - ports.media },
    // All homeservers are on this machine, which a bridge would otherwise refuse to ask.
    access: { servers: names.filter((_, place) => place !== index), privateAddresses: ['127.0.0.0/8'] },
    neighbours: names.slice(0, bridges).filter((_, place) => place !== index).map((name) => ({ serverName: name, bot: botLocalpart })),
    cascade: { listenIp: '127.0.0.1', firstPort: ports.cascade, lastPort: ports.last },
    calls: { language, drainTimeoutMs: 0 },
    log: { level: 'info' },
  };
}
