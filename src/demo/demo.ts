// Owns the demo as a whole: homeservers, bridge, room and page, started in order and gone together.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setInterval as every } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { botLocalpart, type BridgeFiles, serverNameOf, writeBridgeFiles } from './bridge-config.ts';
import { type BridgeProcess, startBridgeProcess } from './bridge-process.ts';
import type { DemoInfo } from './demo-info.ts';
import { ensureCertificates } from './homeservers/certificate-authority.ts';
import { Homeserver } from './homeservers/homeserver.ts';
import { startNursery } from './homeservers/nursery.ts';
import { hostOf, type Language, type Organisation, organisationPorts, organisations as allOrganisations } from './organisations.ts';
import { requireBuiltPage, startPageServer } from './page-server.ts';
import { requireFreePorts, type WantedPort } from './ports.ts';
import { prepareRoom } from './room.ts';
import { toolPath } from './tools.ts';

export interface DemoOptions {
  /** First port of the first organisation; the page is 40 below it. */
  readonly basePort: number;
  /** Kept from run to run. */
  readonly folder: string;
  readonly language: Language;
  /** Told what is done, as it is done. */
  readonly report: (step: string, tookMs: number) => void;
}

export interface Demo extends AsyncDisposable {
  readonly url: string;
  readonly info: DemoInfo;
  /** Homeservers and bridges. */
  readonly pids: readonly number[];
  /** Settles when a part ends that should not, with the reason in words. */
  readonly broken: Promise<string>;
}

/** How many organisations take part, and which of them have a bridge of their own, by their place. */
const organisationCount = 2;
const bridgeOwners = [0, 1] as const;
const pageOffset = 40;
const watchMs = 1000;
const callPage = fileURLToPath(new URL('../../dist/web/index.html', import.meta.url));

export function demoUrl(basePort: number): string {
  return `http://localhost:${String(basePort - pageOffset)}`;
}

/** Returns when the page can be opened. Disposing ends every process, in reverse order. @throws with what to do, in words */
export async function startDemo({ basePort, folder, language, report }: DemoOptions): Promise<Demo> {
  const organisations = allOrganisations.slice(0, organisationCount);
  const url = demoUrl(basePort);
  requireBuiltPage();
  if (!existsSync(callPage)) throw new Error('The call page is not built (dist/web). Run ./viaduc demo, which builds it, or npm run web.');
  const synapse = toolPath('VIADUC_SYNAPSE');
  await requireFreePorts(wantedPorts(basePort, organisations), 'If the demo runs already, use it or end it; otherwise choose other ports, for example: ./viaduc demo --port 21440');
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
    bridgeOwners.map(async (index) => {
      const bridge = { index, folder: join(folder, `bridge-${organisationAt(index).id}`) };
      return { ...bridge, files: await writeBridgeFiles({ ...bridge, basePort, organisations, language, frameAncestors: [url] }) };
    }),
  );
  const homeservers = organisations.map((organisation, index) => {
    const bridge = bridges.find((candidate) => candidate.index === index);
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
  const running: BridgeProcess[] = [];
  for (const bridge of bridges) {
    running.push(
      starting.use(
        await timed(`bridge of ${organisationAt(bridge.index).id}, ${bridge.files.publicUrl}`, () =>
          startBridgeProcess({ configFile: bridge.files.configFile, logFile: join(bridge.folder, 'bridge.log'), authority: certificates.authority, metricsUrl: `http://127.0.0.1:${String(organisationPorts(basePort, bridge.index).metrics)}` }),
        ),
      ),
    );
  }
  const botUserIds = bridgeOwners.map((index) => `@${botLocalpart}:${serverNameOf(organisationAt(index), index, basePort)}`);
  const [botUserId = ''] = botUserIds;
  const roomId = await timed('accounts and room', () => prepareRoom(homeservers, organisations, botUserIds, language));
  const info = demoInfo({ homeservers, organisations, language, roomId, botUserId, bridges: bridges.map(({ files }) => files) });
  starting.use(await startPageServer(basePort - pageOffset, info));
  const stack = starting.move();
  return {
    url,
    info,
    pids: [...homeservers.map(({ pid }) => pid), ...running.map(({ pid }) => pid)].filter((pid) => pid !== undefined),
    broken: Promise.race([...running.map(async ({ ended }) => `The bridge has ended (${await ended}). Its log is in ${folder}.`), firstToEnd(homeservers)]),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** What an operator adds to the homeserver's configuration for clients with a call button (MSC4143, MSC4140). */
function callSettings(publicUrl: string): Readonly<Record<string, unknown>> {
  return { matrix_rtc: { transports: [{ type: 'livekit', livekit_service_url: publicUrl }] }, max_event_delay_duration: '24h', experimental_features: { msc4143_enabled: true, msc4512_enabled: true } };
}

async function firstToEnd(homeservers: readonly Homeserver[]): Promise<string> {
  for await (const _ of every(watchMs, undefined, { ref: false })) {
    const gone = homeservers.find((homeserver) => !homeserver.isAlive());
    if (gone !== undefined) return `The homeserver ${gone.serverName} has ended. Its log is in ${gone.folder}.`;
  }
  return 'The demo has ended.';
}

function organisationAt(index: number): Organisation {
  const organisation = allOrganisations[index];
  if (organisation === undefined) throw new Error(`There is no organisation ${String(index)}.`);
  return organisation;
}

function wantedPorts(basePort: number, organisations: readonly Organisation[]): readonly WantedPort[] {
  const tcp = (port: number, use: string): WantedPort => ({ port, use, protocol: 'tcp' });
  const ofBridge = (index: number): readonly WantedPort[] => {
    const { appservice, page, metrics, media } = organisationPorts(basePort, index);
    const ofMedia = [media, media + 1].flatMap((port) => [tcp(port, 'media'), { port, use: 'media', protocol: 'udp' as const }]);
    return [tcp(appservice, 'bridge, for its homeserver'), tcp(page, 'bridge, call page'), tcp(metrics, 'bridge, metrics'), ...ofMedia];
  };
  const ofHomeserver = (organisation: Organisation, index: number): readonly WantedPort[] => {
    const { federation, client } = organisationPorts(basePort, index);
    return [tcp(federation, `homeserver ${organisation.id}, federation`), tcp(client, `homeserver ${organisation.id}, clients`)];
  };
  return [tcp(basePort - pageOffset, 'the demo\'s page'), ...organisations.flatMap(ofHomeserver), ...bridgeOwners.flatMap(ofBridge)];
}

interface DemoParts {
  readonly homeservers: readonly Homeserver[];
  readonly organisations: readonly Organisation[];
  readonly language: Language;
  readonly roomId: string;
  readonly botUserId: string;
  readonly bridges: readonly BridgeFiles[];
}

function demoInfo({ homeservers, organisations, language, roomId, botUserId, bridges }: DemoParts): DemoInfo {
  return {
    language,
    roomId,
    botUserId,
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
