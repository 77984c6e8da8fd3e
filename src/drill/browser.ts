// Owns the browsers of a drill: one headless Chromium, a page for each organisation, a frame for each person, and what they tell.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Frame, Page } from 'playwright-core';
import { z } from 'zod';
import { waitFor } from '../demo/check/wait.ts';
import { openBrowserHost, type BrowserHost } from './browser-host.ts';
import type { Ticket } from './people.ts';

const track = z.object({ sid: z.string(), kind: z.string(), subscribed: z.boolean(), packets: z.number().default(0), lost: z.number().default(0), frames: z.number().default(0), width: z.number().default(0), energy: z.number().default(0), lastPacketAtMs: z.number().default(0) });
const view = z.object({ state: z.string(), identity: z.string(), remote: z.array(z.object({ identity: z.string(), sid: z.string(), attributes: z.record(z.string(), z.string()), tracks: z.array(track) })) });
const texts = z.array(z.string());
const wires = z.object({ sockets: texts, remotes: texts, selected: texts, locals: texts, secrets: texts, userAgent: z.string() });
const people = z.array(z.object({ what: z.string(), identity: z.string(), atMs: z.number() }));
const signals = z.array(z.object({ what: z.string(), identity: z.string(), value: z.string(), atMs: z.number() }));
const sent = z.object({ bytes: z.number(), packets: z.number() });
const digests = z.object({ send: texts, receive: texts });
const arrivals = z.array(z.object({ side: z.enum(['send', 'receive']), digest: z.string(), atMs: z.number() }));

export type Signal = z.infer<typeof signals>[number];
export type Act = 'mute' | 'unmute' | 'speak' | 'fallSilent' | 'name' | 'raiseHand' | 'shareScreen' | 'unshareScreen' | 'leave';
export type View = z.infer<typeof view>;

export interface Published {
  readonly video?: { readonly width: number; readonly height: number; readonly framesPerSecond: number; readonly maxBitrate?: number; readonly simulcast?: boolean };
  /** Of a tone, in hertz. */
  readonly frequency?: number;
}

const pageFile = (name: string): string => fileURLToPath(new URL(`page/${name}`, import.meta.url));
const scripts = ['person', 'e2ee', 'tap'] as const;

export class Browsers implements AsyncDisposable {
  readonly #host: BrowserHost;
  readonly #pages = new Map<string, Promise<Page>>();
  readonly #options: { readonly timed: boolean };
  #frames = 0;

  /** @param options.timed: when each frame of sound passes is remembered. */
  static async open(options: { readonly timed?: boolean } = {}): Promise<Browsers> {
    const files: ReadonlyMap<string, string> = new Map(await Promise.all(scripts.map(async (name) => [`/${name}.js`, await bundled(name)] as const)));
    const host = await openBrowserHost((request, response) => {
      const script = files.get(request.url ?? '');
      if (script !== undefined) response.writeHead(200, { 'content-type': 'text/javascript; charset=utf-8' }).end(script);
      else response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(`<!doctype html><meta charset="utf-8"><title>drill</title><link rel="icon" href="data:,">${request.url === '/person' ? '<script src="/person.js"></script>' : ''}`);
    });
    return new Browsers(host, { timed: options.timed === true });
  }

  private constructor(host: BrowserHost, options: { readonly timed: boolean }) {
    this.#host = host;
    this.#options = options;
  }

  /** A new person in the page of that name. */
  async seat(pageName: string): Promise<Seat> {
    const opening = this.#pages.get(pageName) ?? this.#openPage();
    this.#pages.set(pageName, opening);
    const page = await opening;
    const name = `f${++this.#frames}`;
    await page.evaluate(`(() => { const frame = document.createElement('iframe'); frame.name = '${name}'; frame.src = '/person'; frame.allow = 'autoplay; microphone; camera'; document.body.append(frame); })()`);
    let found: Frame | undefined;
    await waitFor('a frame', async () => {
      found = page.frame({ name }) ?? undefined;
      return (await found?.evaluate('globalThis.person !== undefined').catch(() => false)) === true ? undefined : 'not there';
    }, 20_000);
    if (found === undefined) throw new Error('the frame has gone');
    return new Seat(found);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host[Symbol.asyncDispose]();
  }

  async #openPage(): Promise<Page> {
    const page = await this.#host.browser.newPage();
    await page.addInitScript({ content: readFileSync(pageFile('wires.js'), 'utf8') });
    if (this.#options.timed) await page.addInitScript({ content: readFileSync(pageFile('timed.js'), 'utf8') });
    await page.goto(`${this.#host.url}/`);
    return page;
  }
}

/** One person's place in a browser. */
export class Seat {
  readonly #frame: Frame;

  constructor(frame: Frame) {
    this.#frame = frame;
  }

  /** @returns how long the client took, in milliseconds */
  async connect({ url, jwt }: Pick<Ticket, 'url' | 'jwt'>, options: { readonly secret?: string; readonly show?: boolean } = {}): Promise<number> {
    return z.number().parse(await this.#run('connect', url, jwt, options));
  }

  async disconnect(): Promise<void> {
    await this.#run('disconnect');
  }

  async publish(what: Published): Promise<void> {
    await this.#run('publish', what);
  }

  /** Every picture at this quality: 0 low, 1 medium, 2 high. */
  async setQuality(quality: 0 | 1 | 2): Promise<void> {
    await this.#run('setQuality', quality);
  }

  async setMetadata(text: string): Promise<void> {
    await this.#run('setMetadata', text);
  }

  /** Does something that others hear of. @returns when it began, milliseconds since 1970 */
  async act(what: Act, value = ''): Promise<number> {
    return z.number().parse(await this.#run('act', what, value));
  }

  /** What it has heard of the others since it connected, in order. */
  async signals(): Promise<readonly Signal[]> {
    return signals.parse(await this.#run('signals'));
  }

  async view(): Promise<View> {
    return view.parse(await this.#run('view'));
  }

  async wires(): Promise<z.infer<typeof wires>> {
    return wires.parse(await this.#run('wires'));
  }

  /** Who came and left, as it was told. */
  async people(): Promise<z.infer<typeof people>> {
    return people.parse(await this.#run('people'));
  }

  async sent(): Promise<z.infer<typeof sent>> {
    return sent.parse(await this.#run('sent'));
  }

  /** SHA-256 of every encrypted frame sent and received. */
  async digests(): Promise<z.infer<typeof digests>> {
    return digests.parse(await this.#run('digests'));
  }

  async arrivals(): Promise<z.infer<typeof arrivals>> {
    return arrivals.parse(await this.#run('arrivals'));
  }

  async #run(method: string, ...args: readonly unknown[]): Promise<unknown> {
    return this.#frame.evaluate(`globalThis.person[${JSON.stringify(method)}](...${JSON.stringify(args)})`);
  }
}

async function bundled(name: (typeof scripts)[number]): Promise<string> {
  const { outputFiles } = await build({ entryPoints: [pageFile(`${name}.js`)], bundle: true, format: 'iife', target: 'chrome120', write: false, logLevel: 'silent' });
  return outputFiles[0]?.text ?? '';
}
