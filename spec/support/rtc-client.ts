// Owns the way from a spec to an unmodified livekit-client in Chromium: bundling, serving, calling, looking.
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { z } from 'zod';
import { closeServer, portOf } from './call-host.ts';
import { openPage } from './chromium.ts';
import { eventually } from './eventually.ts';

/** npm names of the client that the page is built with. */
export type ClientPackage = 'livekit-client' | 'livekit-client-oldest';

const trackView = z.object({
  sid: z.string(),
  source: z.string(),
  muted: z.boolean(),
  subscribed: z.boolean(),
  mimeType: z.string(),
  layers: z.number(),
  frames: z.number().default(0),
  width: z.number().default(0),
  height: z.number().default(0),
  packets: z.number().default(0),
  energy: z.number().default(0),
});
const participantView = z.object({
  identity: z.string(),
  sid: z.string(),
  name: z.string(),
  quality: z.string(),
  speaking: z.boolean(),
  attributes: z.record(z.string(), z.string()),
  metadata: z.string(),
  sources: z.number(),
  tracks: z.array(trackView),
});
const roomView = z.object({
  state: z.string(),
  events: z.array(z.string()),
  count: z.number(),
  roomSid: z.string(),
  speakers: z.array(z.string()),
  local: participantView,
  remote: z.array(participantView),
});

export type TrackView = z.infer<typeof trackView>;
export type RoomView = z.infer<typeof roomView>;

export interface PageServer extends AsyncDisposable {
  readonly url: string;
}

/** Serves an empty page that holds the client; localhost is a secure place, so capture works. */
export async function servePage(client: ClientPackage): Promise<PageServer> {
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL('rtc-page/page.js', import.meta.url))],
    alias: { 'livekit-client': client },
    bundle: true,
    format: 'iife',
    target: 'chrome120',
    write: false,
    logLevel: 'silent',
  });
  const script = bundle.outputFiles[0]?.text ?? '';
  const server = createServer((request, response) => {
    if (request.url === '/page.js') response.writeHead(200, { 'Content-Type': 'text/javascript; charset=utf-8' }).end(script);
    else response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end('<!doctype html><meta charset="utf-8"><title>spec</title><link rel="icon" href="data:,"><script src="/page.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://localhost:${portOf(server)}/`, [Symbol.asyncDispose]: () => closeServer(server) };
}

/** A page with any number of named Room objects. */
export class RtcPage {
  readonly complaints: string[];
  readonly #page: Page;

  private constructor(page: Page, complaints: string[]) {
    this.#page = page;
    this.complaints = complaints;
  }

  static async open(browser: Browser, url: string): Promise<RtcPage> {
    const complaints: string[] = [];
    const page = await openPage(browser, url, (text) => complaints.push(text.slice(0, 200)));
    return new RtcPage(page, complaints);
  }

  client(name: string): RtcClient {
    return new RtcClient(this, name);
  }

  async run(method: string, ...args: readonly unknown[]): Promise<unknown> {
    return await this.#page.evaluate(`globalThis.rtc[${JSON.stringify(method)}](...${JSON.stringify(args)})`);
  }

  async close(): Promise<void> {
    await this.#page.close();
  }
}

/** One Room object of a page. */
export class RtcClient {
  readonly name: string;
  readonly #page: RtcPage;

  constructor(page: RtcPage, name: string) {
    this.#page = page;
    this.name = name;
  }

  async run(method: string, ...args: readonly unknown[]): Promise<unknown> {
    return await this.#page.run(method, this.name, ...args);
  }

  async view(): Promise<RoomView> {
    return roomView.parse(await this.run('view'));
  }

  /** Waits until the view lacks nothing; the last thing missing is in the error. */
  async sees(missing: (view: RoomView) => string | undefined | Promise<string | undefined>, timeoutMs = 30_000): Promise<void> {
    await eventually(async () => {
      const what = await missing(await this.view());
      return what === undefined ? undefined : `${this.name}: ${what}${this.#page.complaints.length > 0 ? ` (page said: ${this.#page.complaints.slice(-5).join(' | ')})` : ''}`;
    }, timeoutMs);
  }
}

export function trackOf(view: RoomView, identity: string, source: string): TrackView | undefined {
  return view.remote.find((participant) => participant.identity === identity)?.tracks.find((track) => track.source === source);
}
