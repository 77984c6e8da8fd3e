// Owns unmodified Element Call in a browser: a page of its host for each person, and what was received there, from where.
import type { Frame, Page } from 'playwright-core';
import { z } from 'zod';
import { mediaStatistics, rememberConnections, type MediaStatistics } from '../../demo/check/media-probe.ts';
import { requireBuiltPage } from '../../demo/page-server.ts';
import { elementCallFile, pageFile } from '../../demo/static-files.ts';
import { openBrowserHost, type BrowserHost } from '../browser-host.ts';
import type { Person } from '../people.ts';

const decryptedSchema = z.object({ decrypted: z.number(), tracks: z.number() });
/** livekit-client takes frames out of Chromium by this, and only to decrypt them. */
const rememberDecryption = `
  window.drillDecrypted = new WeakSet();
  const { createEncodedStreams } = RTCRtpReceiver.prototype;
  RTCRtpReceiver.prototype.createEncodedStreams = function (...options) {
    window.drillDecrypted.add(this);
    return createEncodedStreams.apply(this, options);
  };
`;
const readTransforms = `
  (() => {
    const receivers = (window.viaducCheckPeers ?? []).filter((peer) => peer.connectionState === 'connected').flatMap((peer) => peer.getTransceivers().filter(({ currentDirection }) => currentDirection === 'recvonly').map(({ receiver }) => receiver));
    return { decrypted: receivers.filter((receiver) => window.drillDecrypted.has(receiver)).length, tracks: receivers.length };
  })()
`;

export type Mode = 'compatibility' | 'matrix_2_0';

export class Stage implements AsyncDisposable {
  readonly #host: BrowserHost;

  /** @throws when the demo's pages are not built */
  static async open(): Promise<Stage> {
    requireBuiltPage();
    return new Stage(await openBrowserHost((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost');
      const file = elementCallFile(pathname) ?? pageFile(pathname);
      if (file === undefined) response.writeHead(404).end();
      else response.writeHead(200, { 'content-type': file.contentType }).end(file.content);
    }));
  }

  private constructor(host: BrowserHost) {
    this.#host = host;
  }

  /** Presses the call button, as it were: the host opens Element Call in the room, without its lobby. */
  async enter(person: Person, options: { readonly homeserver: string; readonly room: string; readonly mode: Mode }): Promise<Actor> {
    const context = await this.#host.browser.newContext({ permissions: ['camera', 'microphone'], viewport: { width: 1240, height: 760 } });
    const page = await context.newPage();
    const log: string[] = [];
    page.on('console', (message) => log.push(`${message.type()} ${message.text()}`));
    page.on('pageerror', (error) => log.push(`thrown ${error.message}`));
    await page.addInitScript({ content: rememberConnections });
    await page.addInitScript({ content: rememberDecryption });
    const { homeserver, room, mode } = options;
    const fragment = new URLSearchParams({ homeserver, user: person.userId, device: person.deviceId, token: person.accessToken, room, mode });
    await page.goto(`${this.#host.url}/element-call.html#${fragment.toString()}`);
    return new Actor(page, log);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host[Symbol.asyncDispose]();
  }
}

/** One person in Element Call. */
export class Actor {
  /** What the page has written to its console. */
  readonly log: readonly string[];
  readonly #page: Page;

  constructor(page: Page, log: readonly string[]) {
    this.#page = page;
    this.log = log;
  }

  /** undefined: Element Call is not there yet. */
  async media(): Promise<MediaStatistics | undefined> {
    const frame = this.#frame();
    return frame === undefined ? undefined : mediaStatistics(frame);
  }

  /** How many of the received tracks are decrypted, and how many there are. */
  async decrypted(): Promise<{ readonly decrypted: number; readonly tracks: number }> {
    return decryptedSchema.parse(await this.#frame()?.evaluate(readTransforms));
  }

  /** What it shows, on one line. */
  async text(): Promise<string> {
    const text = await (this.#frame() ?? this.#page.mainFrame()).innerText('body').catch(() => '');
    return text.replace(/\s+/g, ' ').slice(0, 200);
  }

  async picture(path: string): Promise<void> {
    await this.#page.screenshot({ path });
  }

  #frame(): Frame | undefined {
    return this.#page.frames().find((frame) => new URL(frame.url(), 'http://localhost').pathname.startsWith('/element-call/'));
  }
}
