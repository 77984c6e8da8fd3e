// Owns whole bridges of the specs: two federating homeservers, one bridge or two, each in a process of its own, a browser.
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { botLocalpart, serverNameOf, writeBridgeFiles } from '../../src/demo/bridge-config.ts';
import { startBridgeProcess, type BridgeProcess } from '../../src/demo/bridge-process.ts';
import { mediaStatistics, rememberConnections, totalsOf, type MediaStatistics } from '../../src/demo/check/media-probe.ts';
import { launchChromium } from '../../src/demo/chromium.ts';
import { organisationPorts, organisations } from '../../src/demo/organisations.ts';
import { eventually } from './eventually.ts';
import { startFederation, type Federation } from './homeservers.ts';
import type { MatrixUser, SeenEvent } from './matrix-user.ts';
import { specBasePort, specRun } from './run.ts';

/** What the specs change of a bridge's configuration, by dotted key. */
export const specSettings: Readonly<Record<string, unknown>> = {
  'log.level': 'debug',
  'calls.language': 'en',
  'calls.noticeIntervalMs': 1000,
  'calls.emptyTimeoutMs': 60_000,
  'calls.lostGraceMs': 20_000,
};

const cascadeOffset = 30;
const cascadePorts = 15;

export interface BridgeFilesOfSpec {
  readonly configFile: string;
  readonly registration: Readonly<Record<string, unknown>>;
  readonly publicUrl: string;
  readonly logFile: string;
  readonly metricsUrl: string;
  readonly appserviceUrl: string;
}

/** Writes the configuration of the bridge of one organisation of the federation. */
export async function bridgeFiles(folder: string, index: number, settings: Readonly<Record<string, unknown>> = specSettings, bridges = 2): Promise<BridgeFilesOfSpec> {
  mkdirSync(folder, { recursive: true });
  const basePort = specBasePort();
  const files = await writeBridgeFiles({ basePort, organisations: organisations.slice(0, 2), index, bridges, folder, language: 'en', frameAncestors: ['*'] });
  const config = parse(readFileSync(files.configFile, 'utf8')) as Record<string, Record<string, unknown>>;
  // One for each call that was not ended; the demo has room for fewer.
  const cascade = { 'cascade.firstPort': basePort + cascadeOffset + cascadePorts * index, 'cascade.lastPort': basePort + cascadeOffset + cascadePorts * (index + 1) - 1 };
  for (const [path, value] of Object.entries({ ...cascade, ...settings })) {
    const [section = '', key = ''] = path.split('.');
    config[section] = { ...config[section], [key]: value };
  }
  writeFileSync(files.configFile, stringify(config));
  const ports = organisationPorts(basePort, index);
  return { ...files, logFile: join(folder, 'bridge.log'), metricsUrl: `http://127.0.0.1:${ports.metrics}`, appserviceUrl: `http://127.0.0.1:${ports.appservice}` };
}

/** A bridge that can be started, stopped and killed; its folder stays. */
export class SpecBridge {
  readonly files: BridgeFilesOfSpec;
  readonly bot: string;
  readonly #authority: string;
  #process: BridgeProcess | undefined;

  constructor(files: BridgeFilesOfSpec, bot: string, authority: string) {
    this.files = files;
    this.bot = bot;
    this.#authority = authority;
  }

  get process(): BridgeProcess {
    if (this.#process === undefined) throw new Error(`the bridge of ${this.bot} does not run`);
    return this.#process;
  }

  async start(): Promise<void> {
    const { configFile, logFile, metricsUrl } = this.files;
    this.#process = await startBridgeProcess({ configFile, logFile, authority: this.#authority, metricsUrl });
  }

  async kill(): Promise<void> {
    await this.process.kill();
    this.#process = undefined;
  }

  /** SIGTERM; answers how it ended, in words. */
  async stop(): Promise<string> {
    const { ended, pid } = this.process;
    if (pid !== undefined) process.kill(pid, 'SIGTERM');
    const how = await ended;
    this.#process = undefined;
    return how;
  }

  async dispose(): Promise<void> {
    await this.#process?.[Symbol.asyncDispose]();
  }
}

export interface BridgeEnvOptions {
  /** How many of the two organisations, from the first on, have a bridge. */
  readonly bridges: number;
}

export class BridgeEnv implements AsyncDisposable {
  readonly federation: Federation;
  readonly bridges: readonly SpecBridge[];
  readonly browser: Browser;
  readonly #stack: AsyncDisposableStack;

  static async start({ bridges: count }: BridgeEnvOptions): Promise<BridgeEnv> {
    const { folder, certificates } = await specRun();
    await using starting = new AsyncDisposableStack();
    const bridges = await Promise.all(
      organisations.slice(0, count).map(async (organisation, index) => {
        const files = await bridgeFiles(mkdtempSync(join(folder, 'bridge-')), index, specSettings, count);
        return new SpecBridge(files, `@${botLocalpart}:${serverNameOf(organisation, index, specBasePort())}`, certificates.authority);
      }),
    );
    const registrations = (index: number) => bridges.slice(index, index + 1).map(({ files }) => files.registration);
    const federation = starting.use(await startFederation({ size: 2, settings: (index) => ({ registrations: registrations(index) }) }));
    const browser = await launchChromium();
    starting.defer(() => browser.close());
    for (const bridge of bridges) {
      starting.defer(() => bridge.dispose());
      await bridge.start();
    }
    return new BridgeEnv({ bridges, federation, browser, stack: starting.move() });
  }

  private constructor({ bridges, federation, browser, stack }: { bridges: readonly SpecBridge[]; federation: Federation; browser: Browser; stack: AsyncDisposableStack }) {
    this.bridges = bridges;
    this.federation = federation;
    this.browser = browser;
    this.#stack = stack;
  }

  /** The bridge of the first organisation: calls start there, and its address is in the notice. */
  get first(): SpecBridge {
    return this.homeOf(0);
  }

  /** The bridge that people of that organisation are connected to. */
  homeOf(organisation: number): SpecBridge {
    const bridge = this.bridges[organisation] ?? this.bridges[0];
    if (bridge === undefined) throw new Error('this environment has no bridges');
    return bridge;
  }

  /** A room of its creator with all bots at level 50 and these people in it. */
  async room(creator: MatrixUser, ...others: readonly MatrixUser[]): Promise<string> {
    const bots = this.bridges.map(({ bot }) => bot);
    const room = await creator.createRoom({ name: 'Weekly', power_level_content_override: { users: Object.fromEntries(bots.map((bot) => [bot, 50])) } });
    for (const other of others) {
      await creator.invite(room, other.userId);
      await other.join(room, serverNameOf(organisations[0], 0, specBasePort()));
    }
    await Promise.all(
      bots.map(async (bot) => {
        const joined = creator.find(`${bot} in the room`, (event) => event.roomId === room && event.stateKey === bot && event.content['membership'] === 'join');
        await creator.invite(room, bot);
        await joined;
      }),
    );
    return room;
  }

  /** Says the command and waits for the notice of the call. */
  async startCall(by: MatrixUser, room: string): Promise<CallNotice> {
    const notice = by.next('the notice of the call', (event) => event.roomId === room && noticeOf(event)?.state === 'open');
    await by.say(room, '!visio');
    const event = await notice;
    return noticeOf(event) ?? Promise.reject(new Error('no notice'));
  }

  /** The call page in a browser of its own, paired with the account by the code, camera and microphone on, in the call. */
  async joinByCode(user: MatrixUser, room: string, slug: string): Promise<CallPage> {
    const page = await this.openPage(slug);
    await page.pair(user, room);
    await page.join();
    return page;
  }

  async openPage(slug: string): Promise<CallPage> {
    const context = await this.browser.newContext({ locale: 'en-GB', viewport: { width: 900, height: 640 } });
    await context.addInitScript(rememberConnections);
    await context.addInitScript(drawnCamera);
    const page = await context.newPage();
    await page.goto(`${this.first.files.publicUrl}/c/${slug}`);
    return new CallPage(context, page);
  }

  /** Asks the first bridge's public listener; body as JSON. */
  async post(path: string, body: unknown): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }> {
    const response = await fetch(this.first.files.publicUrl + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    return { status: response.status, body: z.record(z.string(), z.unknown()).parse(await response.json()) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

export interface CallNotice {
  readonly eventId: string;
  readonly state: string;
  readonly people: readonly { readonly server: string; readonly count: number }[];
  readonly slug: string;
  readonly body: string;
}

const noticeSchema = z.object({
  body: z.string(),
  'fr.viaduc.call': z.object({ state: z.string(), url: z.string(), people: z.array(z.object({ server: z.string(), count: z.number() })) }),
});

/** What a message shows of a call, posted or edited; its event id is that of the message first posted. */
export function noticeOf({ eventId, content }: SeenEvent): CallNotice | undefined {
  const edited = z.object({ 'm.new_content': noticeSchema, 'm.relates_to': z.object({ rel_type: z.literal('m.replace'), event_id: z.string() }) }).safeParse(content);
  const shown = edited.success ? edited.data['m.new_content'] : noticeSchema.safeParse(content).data;
  if (shown === undefined) return undefined;
  const { state, url, people } = shown['fr.viaduc.call'];
  return { eventId: edited.success ? edited.data['m.relates_to'].event_id : eventId, state, people, slug: url.slice(url.lastIndexOf('/') + 1), body: shown.body };
}

/** The notices and edits of a room that this person has seen, oldest first. */
export function noticesIn(user: MatrixUser, room: string): readonly CallNotice[] {
  return user.seen((event) => event.roomId === room).flatMap((event) => noticeOf(event) ?? []);
}

const watchBanner = `
  window.viaducSpecInterrupted = false;
  const look = () => { if (document.querySelector('[data-testid="reconnecting"]') !== null) window.viaducSpecInterrupted = true; };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
  look();
`;

/**
 * Runs in every page: its camera is a moving picture on a canvas. Chromium's own generated camera stays dark now and then
 * when two pages open it again at the same moment, as they do when a bridge comes back.
 */
const drawnCamera = `
  const devices = navigator.mediaDevices;
  if (devices !== undefined) {
    const real = devices.getUserMedia.bind(devices);
    devices.getUserMedia = async (constraints) => {
      if (!constraints?.video) return real(constraints);
      const stream = constraints.audio ? await real({ audio: constraints.audio }) : new MediaStream();
      const canvas = Object.assign(document.createElement('canvas'), { width: 1280, height: 720 });
      const pen = canvas.getContext('2d');
      let turn = 0;
      const timer = setInterval(() => {
        pen.fillStyle = 'hsl(' + (turn * 3) % 360 + ' 60% 50%)';
        pen.fillRect(0, 0, 1280, 720);
        pen.fillStyle = 'white';
        pen.fillRect((turn * 16) % 1280, 300, 120, 120);
        turn += 1;
      }, 50);
      const [track] = canvas.captureStream(20).getVideoTracks();
      const stop = track.stop.bind(track);
      track.stop = () => {
        clearInterval(timer);
        stop();
      };
      stream.addTrack(track);
      return stream;
    };
  }
`;

export class CallPage {
  readonly page: Page;
  readonly #context: BrowserContext;

  constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
  }

  /** Says the code that the page shows; the page goes on by itself. */
  async pair(user: MatrixUser, room: string): Promise<void> {
    const code = await this.page.getByTestId('pairing-code').innerText();
    await user.say(room, `!visio code ${code}`);
    await this.page.getByTestId('join-button').waitFor({ timeout: 20_000 });
  }

  async join(): Promise<void> {
    await this.page.getByTestId('join-button').click({ timeout: 20_000 });
    await this.page.getByTestId('call').waitFor({ timeout: 30_000 });
  }

  media(): Promise<MediaStatistics> {
    return mediaStatistics(this.page.mainFrame());
  }

  /** Pictures are being decoded and sound is heard, from now on. */
  async seesAndHears(): Promise<void> {
    const before = totalsOf(await this.media());
    await eventually(async () => {
      const now = totalsOf(await this.media());
      // After a rejoin the counters are those of new connections.
      const since = (key: 'frames' | 'energy'): number => (now[key] < before[key] ? now[key] : now[key] - before[key]);
      const [frames, energy] = [since('frames'), since('energy')];
      return frames > 20 && energy > 0.0001 ? undefined : `${frames} new pictures, new sound of energy ${energy}`;
    }, 40_000);
  }

  /** How many people's tiles there are, one's own among them. */
  tiles(): Promise<number> {
    return this.page.getByTestId('tile').count();
  }

  /** From now on, notes whether the page ever says that it has lost its connection. @returns asks for what was noted */
  async watchInterruptions(): Promise<() => Promise<boolean>> {
    await this.page.evaluate(watchBanner);
    return async () => z.boolean().parse(await this.page.evaluate('window.viaducSpecInterrupted'));
  }

  /** Waits until this screen of the page is shown. */
  async shows(testId: string, timeoutMs = 20_000): Promise<void> {
    await this.page.getByTestId(testId).first().waitFor({ timeout: timeoutMs });
  }

  async close(): Promise<void> {
    await this.#context.close();
  }
}
