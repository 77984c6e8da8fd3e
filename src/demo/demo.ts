// Owns the demo as a whole: homeservers, bridges, room and page, started in order and gone together.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setInterval as every } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { botLocalpart, type BridgeFiles, serverNameOf, writeBridgeFiles } from './bridge-config.ts';
import { type BridgeProcess, startBridgeProcess } from './bridge-process.ts';
import type { DemoInfo } from './demo-info.ts';
import { demoPorts, pagePort } from './demo-ports.ts';
import { callSettings } from './homeservers/call-settings.ts';
import { ensureCertificates } from './homeservers/certificate-authority.ts';
import { Homeserver } from './homeservers/homeserver.ts';
import { startNursery } from './homeservers/nursery.ts';
import { hostOf, type Language, type Organisation, type OrganisationPorts, organisationPorts, organisations as allOrganisations } from './organisations.ts';
import { requireBuiltPage, startPageServer } from './page-server.ts';
import { requireFreePorts } from './ports.ts';
import { prepareRoom } from './room.ts';
import { toolPath } from './tools.ts';

export interface DemoOptions {
  /** How many organisations take part, from 2. */
  readonly ministries: number;
  /** How many of them, from the first on, have a bridge; the others' people use the first one's. */
  readonly bridges: number;
  /** First port of the first organisation; the page is 40 below it. */
  readonly basePort: number;
  /** Kept from run to run. */
  readonly folder: string;
  readonly language: Language;
  /** Told what is done, as it is done. */
  readonly report: (step: string, tookMs: number) => void;
}

/** A bridge as clients see it. */
export interface BridgePlace {
  readonly organisation: string;
  /** Page, API and signalling: "http://interieur.localhost:18443". */
  readonly publicUrl: string;
  /** UDP and TCP, on this machine. */
  readonly mediaPorts: readonly number[];
}

export interface Demo extends AsyncDisposable {
  readonly url: string;
  readonly info: DemoInfo;
  /** The bridge that each column's person is connected to, in the order of the columns. */
  readonly homes: readonly BridgePlace[];
  /** Homeservers and bridges. */
  readonly pids: readonly number[];
  /** Settles when a part ends that should not, with the reason in words. */
  readonly broken: Promise<string>;
}

const watchMs = 1000;
const callPage = fileURLToPath(new URL('../../dist/web/index.html', import.meta.url));

export function demoUrl(basePort: number): string {
  return `http://localhost:${String(pagePort(basePort))}`;
}

/** Returns when the page can be opened. Disposing ends every process, in reverse order. @throws with what to do, in words */
export async function startDemo({ ministries, bridges: bridgeCount, basePort, folder, language, report }: DemoOptions): Promise<Demo> {
  const organisations = allOrganisations.slice(0, ministries);
  const owners = organisations.slice(0, bridgeCount);
  const url = demoUrl(basePort);
  requireBuiltPage();
  if (!existsSync(callPage)) throw new Error('The call page is not built (dist/web). Run ./viaduc demo, which builds it, or npm run web.');
  const synapse = toolPath('VIADUC_SYNAPSE');
  await requireFreePorts(demoPorts(basePort, organisations, bridgeCount), 'If the demo runs already, use it or end it; otherwise choose other ports, for example: ./viaduc demo --port 21440');
  mkdirSync(folder, { recursive: true, mode: 0o700 });

  await using starting = new AsyncDisposableStack();
  const timed = async <T>(step: string, work: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    const result = await work();
    report(step, performance.now() - start);
    return result;
  };
  const certificates = await ensureCertificates(join(folder, 'ca'), organisations.map(hostOf));
  const nursery = starting.use(await timed('Synapse loaded', () => startNursery(synapse)));
  const bridges = await Promise.all(
    owners.map(async (organisation, index): Promise<BridgeOfDemo> => {
      const home = join(folder, `bridge-${organisation.id}`);
      const files = await writeBridgeFiles({ index, folder: home, basePort, organisations, bridges: bridgeCount, language, frameAncestors: [url] });
      return { organisation, files, folder: home, ports: organisationPorts(basePort, index) };
    }),
  );
  const homeservers = organisations.map((organisation, index) => {
    const bridge = bridges[index];
    return starting.use(
      new Homeserver({
        nursery,
        certificates,
        folder: join(folder, organisation.id),
        host: hostOf(organisation),
        port: organisationPorts(basePort, index).federation,
        ...(bridge && { registrations: [bridge.files.registration], extra: callSettings(bridge.files.publicUrl) }),
      }),
    );
  });
  await timed(`homeservers ${homeservers.map(({ serverName }) => serverName).join(', ')}`, () => Promise.all(homeservers.map((homeserver) => homeserver.start())));
  const running: { readonly bridge: BridgeOfDemo; readonly process: BridgeProcess }[] = [];
  for (const bridge of bridges) running.push({ bridge, process: starting.use(await timed(`bridge of ${bridge.organisation.id}, ${bridge.files.publicUrl}`, () => start(bridge, certificates.authority))) });
  const botUserIds = bridges.map(({ organisation }, index) => `@${botLocalpart}:${serverNameOf(organisation, index, basePort)}`);
  const roomId = await timed('accounts and room', () => prepareRoom(homeservers, organisations, botUserIds, language));
  const info = demoInfo({ homeservers, organisations, language, roomId, botUserIds, bridges: bridges.map(({ files }) => files) });
  starting.use(await startPageServer(pagePort(basePort), info));
  const stack = starting.move();
  return {
    url,
    info,
    homes: organisations.flatMap((_, index) => bridges[index] ?? bridges[0] ?? []).map(placeOf),
    pids: [...homeservers.map(({ pid }) => pid), ...running.map(({ process }) => process.pid)].filter((pid) => pid !== undefined),
    broken: Promise.race([...running.map(async ({ bridge, process }) => `The bridge of ${bridge.organisation.id} has ended (${await process.ended}). Its log is in ${bridge.folder}.`), firstToEnd(homeservers)]),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

interface BridgeOfDemo {
  readonly organisation: Organisation;
  readonly files: BridgeFiles;
  readonly folder: string;
  readonly ports: OrganisationPorts;
}

function start({ files, folder, ports }: BridgeOfDemo, authority: string): Promise<BridgeProcess> {
  return startBridgeProcess({ configFile: files.configFile, logFile: join(folder, 'bridge.log'), authority, metricsUrl: `http://127.0.0.1:${String(ports.metrics)}` });
}

function placeOf({ organisation, files, ports: { media, cascade } }: BridgeOfDemo): BridgePlace {
  return { organisation: organisation.id, publicUrl: files.publicUrl, mediaPorts: Array.from({ length: cascade - media }, (_, i) => media + i) };
}

async function firstToEnd(homeservers: readonly Homeserver[]): Promise<string> {
  for await (const _ of every(watchMs, undefined, { ref: false })) {
    const gone = homeservers.find((homeserver) => !homeserver.isAlive());
    if (gone !== undefined) return `The homeserver ${gone.serverName} has ended. Its log is in ${gone.folder}.`;
  }
  return 'The demo has ended.';
}

interface DemoParts {
  readonly homeservers: readonly Homeserver[];
  readonly organisations: readonly Organisation[];
  readonly language: Language;
  readonly roomId: string;
  readonly botUserIds: readonly string[];
  readonly bridges: readonly BridgeFiles[];
}

function demoInfo({ homeservers, organisations, language, roomId, botUserIds, bridges }: DemoParts): DemoInfo {
  return {
    language,
    roomId,
    botUserIds: [...botUserIds],
    command: '!visio',
    callOrigins: bridges.map(({ publicUrl }) => publicUrl),
    columns: organisations.flatMap((organisation, index) => {
      const homeserver = homeservers[index];
      if (homeserver === undefined) return [];
      const { serverName, publicUrl } = homeserver;
      return [{ organisation: organisation.id, organisationName: organisation.name, serverName, homeserverUrl: publicUrl, ...organisation.person }];
    }),
  };
}
