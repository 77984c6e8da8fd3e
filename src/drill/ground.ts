// Owns the ground of a drill: federating homeservers, real bridges in processes of their own, and our proxies on every way between them.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { botLocalpart, serverNameOf, writeBridgeFiles, type BridgeFiles } from '../demo/bridge-config.ts';
import { startBridgeProcess, type BridgeProcess } from '../demo/bridge-process.ts';
import { descendants } from '../demo/check/process-tree.ts';
import { callSettings } from '../demo/homeservers/call-settings.ts';
import { ensureCertificates } from '../demo/homeservers/certificate-authority.ts';
import { Homeserver } from '../demo/homeservers/homeserver.ts';
import { resolveLocalhostNames } from '../demo/homeservers/localhost-names.ts';
import { startNursery } from '../demo/homeservers/nursery.ts';
import { hostOf, organisationPorts, organisations, type Organisation } from '../demo/organisations.ts';
import { requireFreePorts, type WantedPort } from '../demo/ports.ts';
import { toolPath } from '../demo/tools.ts';
import { BridgeLog } from './bridge-log.ts';
import type { DrillContext } from './drill.ts';
import { FrontDoor } from './proxy/front-door.ts';
import { MediaBorder } from './proxy/media-border.ts';

export interface GroundOptions extends Pick<DrillContext, 'basePort' | 'folder' | 'report'> {
  /** How many organisations take part. */
  readonly organisations: number;
  /** Places of organisations whose bridge is not ours but played by the drill; its ports stay free. */
  readonly played?: readonly number[];
  /** Which neighbours a bridge lists, by place; default: all others. */
  readonly neighbours?: (place: number) => readonly number[];
  /** Changes to a bridge's configuration, by dotted key. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Homeservers tell clients with a call button of their own where calls are. */
  readonly withTransports?: boolean;
}

/** The host where bridges really are; each announces another loopback address, at which our proxy stands. */
const realHost = '127.0.0.1';
const privateListenerOffset = 40;
const pipePorts = 3;
const mediaWorkers = 2;
const configSchema = z.record(z.string(), z.unknown());
const sectionSchema = z.record(z.string(), z.unknown());

export class DrillBridge implements AsyncDisposable {
  readonly place: number;
  readonly serverName: string;
  readonly botUserId: string;
  readonly publicUrl: string;
  readonly metricsUrl: string;
  readonly files: BridgeFiles;
  readonly folder: string;
  readonly door: FrontDoor;
  readonly log: BridgeLog;
  readonly #authority: string;
  #process: BridgeProcess | undefined;

  constructor(options: { readonly place: number; readonly serverName: string; readonly files: BridgeFiles; readonly folder: string; readonly metricsUrl: string; readonly door: FrontDoor; readonly authority: string }) {
    this.place = options.place;
    this.serverName = options.serverName;
    this.botUserId = `@${botLocalpart}:${options.serverName}`;
    this.publicUrl = options.files.publicUrl;
    this.metricsUrl = options.metricsUrl;
    this.files = options.files;
    this.folder = options.folder;
    this.door = options.door;
    this.log = new BridgeLog(join(options.folder, 'bridge.log'));
    this.#authority = options.authority;
  }

  async start(): Promise<void> {
    this.#process = await startBridgeProcess({ configFile: this.files.configFile, logFile: this.log.path, authority: this.#authority, metricsUrl: this.metricsUrl });
  }

  /** The bridge's process and its media workers. */
  get pids(): readonly number[] {
    const pid = this.#process?.pid;
    return pid === undefined ? [] : [pid, ...descendants(pid).map((each) => each.pid)];
  }

  /** Its media workers only. */
  get workerPids(): readonly number[] {
    const pid = this.#process?.pid;
    return pid === undefined ? [] : descendants(pid).filter(({ name }) => name.startsWith('mediasoup')).map((each) => each.pid);
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    for (const pid of this.pids) process.kill(pid, signal);
  }

  async kill(): Promise<void> {
    await this.#process?.kill();
    this.#process = undefined;
  }

  async metrics(): Promise<string> {
    return (await fetch(`${this.metricsUrl}/metrics`)).text();
  }

  /** Refusals of neighbours since the bridge started, of one kind or all. */
  async refusals(what = '[^"]*'): Promise<number> {
    return this.#sum(`^viaduc_neighbour_refusals\\{[^}]*what="${what}"[^}]*\\} (\\d+)$`);
  }

  /** Introductions refused to servers that are no neighbours, by code. */
  async strangers(code: string): Promise<number> {
    return this.#sum(`^viaduc_introductions_refused\\{code="${code}"\\} (\\d+)$`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.[Symbol.asyncDispose]();
  }

  async #sum(pattern: string): Promise<number> {
    const lines = (await this.metrics()).matchAll(new RegExp(pattern, 'gm'));
    return [...lines].reduce((total, [, count]) => total + Number(count), 0);
  }
}

export interface Ground extends AsyncDisposable {
  readonly homeservers: readonly Homeserver[];
  /** By place; a place that the drill plays has none. */
  readonly bridges: readonly DrillBridge[];
  readonly border: MediaBorder;
  readonly folder: string;
  bridge(place: number): DrillBridge;
  homeserver(place: number): Homeserver;
  /** The tokens between a homeserver and its bridge, for who plays the bridge. */
  registration(place: number): Readonly<Record<string, unknown>>;
  /** Where a bridge listens behind our proxy. */
  privatePort(place: number): number;
}

/** @throws in words when it cannot be built */
export async function buildGround(options: GroundOptions): Promise<Ground> {
  const { basePort, folder, report, played = [] } = options;
  const taking = organisations.slice(0, options.organisations);
  const synapse = toolPath('VIADUC_SYNAPSE');
  await requireFreePorts(taking.flatMap((_, place) => wantedPorts(basePort, place)), 'End the other drill, or choose other ports with --port.');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  resolveLocalhostNames();
  const startMs = performance.now();

  await using starting = new AsyncDisposableStack();
  const certificates = await ensureCertificates(join(folder, 'ca'), taking.map(hostOf));
  const nursery = starting.use(await startNursery(synapse));
  const files = await Promise.all(taking.map((organisation, place) => bridgeFiles(options, taking, organisation, place)));
  const homeservers = taking.map((organisation, place) => {
    const { registration, publicUrl } = files[place] ?? {};
    return starting.use(new Homeserver({ nursery, certificates, folder: join(folder, organisation.id), host: hostOf(organisation), port: organisationPorts(basePort, place).federation, ...(registration && { registrations: [registration] }), ...(options.withTransports === true && publicUrl !== undefined && { extra: callSettings(publicUrl) }) }));
  });
  await Promise.all(homeservers.map((homeserver) => homeserver.start()));
  const border = starting.use(await MediaBorder.open(taking.map((_, place) => ({ real: realHost, announced: announcedAddress(place), firstPort: firstPipePort(basePort, place), lastPort: firstPipePort(basePort, place) + pipePorts - 1 }))));
  const bridges: DrillBridge[] = [];
  for (const [place, organisation] of taking.entries()) {
    const found = files[place];
    if (played.includes(place) || found === undefined) continue;
    const door = starting.use(await FrontDoor.open({ host: realHost, port: organisationPorts(basePort, place).page, targetPort: basePort + privateListenerOffset + place }));
    const metricsUrl = `http://${realHost}:${organisationPorts(basePort, place).metrics}`;
    bridges.push(starting.use(new DrillBridge({ place, serverName: serverNameOf(organisation, place, basePort), files: found, folder: join(folder, `bridge-${organisation.id}`), metricsUrl, door, authority: certificates.authority })));
  }
  await Promise.all(bridges.map((bridge) => bridge.start()));
  report.note('homeservers and bridges run', `${taking.length} and ${bridges.length}, ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
  const stack = starting.move();
  return {
    homeservers,
    bridges,
    border,
    folder,
    bridge: (place) => existing(bridges.find((bridge) => bridge.place === place), 'bridge', place),
    homeserver: (place) => existing(homeservers[place], 'homeserver', place),
    registration: (place) => existing(files[place], 'bridge', place).registration,
    privatePort: (place) => basePort + privateListenerOffset + place,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function bridgeFiles({ basePort, folder, neighbours, settings = {} }: GroundOptions, taking: readonly Organisation[], organisation: Organisation, place: number): Promise<BridgeFiles> {
  const files = await writeBridgeFiles({ basePort, organisations: taking, bridges: taking.length, index: place, folder: join(folder, `bridge-${organisation.id}`), language: 'en', frameAncestors: [] });
  const config = configSchema.parse(parse(readFileSync(files.configFile, 'utf8')));
  const changes: Readonly<Record<string, unknown>> = {
    'http.port': basePort + privateListenerOffset + place,
    'media.workers': mediaWorkers,
    'cascade.announcedAddress': announcedAddress(place),
    'cascade.firstPort': firstPipePort(basePort, place),
    'cascade.lastPort': firstPipePort(basePort, place) + pipePorts - 1,
    'calls.noticeIntervalMs': 1000,
    'log.level': 'debug',
    'log.format': 'json',
    ...settings,
  };
  for (const [path, value] of Object.entries(changes)) {
    const [section = '', key = ''] = path.split('.');
    config[section] = { ...sectionSchema.parse(config[section] ?? {}), [key]: value };
  }
  if (neighbours !== undefined) config['neighbours'] = neighbours(place).flatMap((other) => (taking[other] === undefined ? [] : [{ serverName: serverNameOf(taking[other], other, basePort), bot: botLocalpart }]));
  writeFileSync(files.configFile, stringify(config), { mode: 0o600 });
  return files;
}

function announcedAddress(place: number): string {
  return `127.0.0.${11 + place}`;
}

function firstPipePort(basePort: number, place: number): number {
  return organisationPorts(basePort, place).media + mediaWorkers;
}

function wantedPorts(basePort: number, place: number): readonly WantedPort[] {
  const { federation, client, appservice, page, metrics, media } = organisationPorts(basePort, place);
  const tcp = [federation, client, appservice, page, metrics, media, media + 1, basePort + privateListenerOffset + place];
  const udp = Array.from({ length: mediaWorkers + pipePorts }, (_, index) => media + index);
  return [...tcp.map((port): WantedPort => ({ port, use: 'the drill', protocol: 'tcp' })), ...udp.map((port): WantedPort => ({ port, use: 'the drill, media', protocol: 'udp' }))];
}

function existing<T>(found: T | undefined, what: string, place: number): T {
  if (found === undefined) throw new Error(`there is no ${what} at place ${place} on this ground`);
  return found;
}
