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
const mediaWorkers = 2;
const recordSchema = z.record(z.string(), z.unknown());

export function serverNameOf(organisation: Organisation, index: number, basePort: number): ServerName {
  const name = `${hostOf(organisation)}:${String(organisationPorts(basePort, index).federation)}`;
  if (!isServerName(name)) throw new Error(`${name} is not a server name`);
  return name;
}

/** Writes bridge.yaml anew, and registration.yaml if there is none yet. */
export async function writeBridgeFiles(settings: BridgeSettings): Promise<BridgeFiles> {
  const { folder, basePort, index } = settings;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const config = bridgeConfig(settings);
  const registrationFile = join(folder, 'registration.yaml');
  if (!existsSync(registrationFile)) {
    const { makeRegistration } = await import('../matrix/make-registration.ts');
    const url = `http://127.0.0.1:${String(organisationPorts(basePort, index).appservice)}`;
    writeFileSync(registrationFile, makeRegistration({ serverName: config.homeserver.serverName, url, botLocalpart }), { mode: 0o600 });
  }
  const configFile = join(folder, 'bridge.yaml');
  writeFileSync(configFile, stringify(config), { mode: 0o600 });
  return { configFile, registration: recordSchema.parse(parse(readFileSync(registrationFile, 'utf8'))), publicUrl: config.http.publicUrl };
}

function bridgeConfig({ basePort, organisations, index, language, frameAncestors }: BridgeSettings): ConfigInput {
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
    media: { listenIp: '127.0.0.1', firstPort: ports.media, workers: mediaWorkers },
    // All homeservers are on this machine, which a bridge would otherwise refuse to ask.
    access: { servers: names.filter((_, place) => place !== index), privateAddresses: ['127.0.0.0/8'] },
    neighbours: names.filter((_, place) => place !== index).map((name) => ({ serverName: name, bot: botLocalpart })),
    cascade: { listenIp: '127.0.0.1', firstPort: ports.media + mediaWorkers, lastPort: ports.media + mediaWorkers + 2 },
    calls: { language, drainTimeoutMs: 0 },
    log: { level: 'info' },
  };
}
