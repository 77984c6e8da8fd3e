// Owns a neighbour that does not keep to the protocol: a bare WebSocket to a bridge's /cascade, introduced or not.
import { randomBytes } from 'node:crypto';
import { WebSocket } from 'ws';
import { z } from 'zod';
import type { ServerName } from '../../src/call/ids.ts';
import type { Introducer } from '../../src/control/ports/introducer.ts';
import { eventually } from './eventually.ts';

export interface Invitation {
  readonly status: number;
  readonly url: string;
  readonly key: string;
  readonly content: unknown;
}

export const anyLimits = { people: 500, tracksPerPerson: 12, framesPerSecond: 1_000_000, bytesPerSecond: 1_000_000_000 };

export async function invite(introducer: Introducer, to: ServerName, change: Readonly<Record<string, unknown>> = {}): Promise<Invitation> {
  const { status, content } = await introducer.ask(to, 'cascade/introduce', { versions: ['1.0'], nonce: randomBytes(24).toString('base64url'), ...change });
  const { url, key } = z.object({ url: z.string(), key: z.string() }).partial().parse(content);
  return { status, content, url: url ?? '', key: key ?? '' };
}

export class RawLink {
  readonly ws: WebSocket;
  readonly frames: Readonly<Record<string, unknown>>[] = [];
  /** undefined: still open. */
  closedWith: number | undefined;
  readonly #server: ServerName;

  /** @throws with the status when the bridge refuses it */
  static async open(invitation: Pick<Invitation, 'url' | 'key'>, server: ServerName, protocol = 'viaduc.cascade.1'): Promise<RawLink> {
    const ws = new WebSocket(invitation.url, protocol, { headers: { authorization: `Bearer ${invitation.key}` } });
    const link = new RawLink(ws, server);
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    ws.once('unexpected-response', (request, response) => {
      reject(new Error(`HTTP ${response.statusCode ?? 0}`));
      request.destroy();
      ws.terminate();
    });
    ws.once('open', () => resolve(undefined));
    ws.on('error', reject);
    await promise;
    return link;
  }

  private constructor(ws: WebSocket, server: ServerName) {
    this.ws = ws;
    this.#server = server;
    ws.on('message', (data) => {
      if (!(data instanceof Buffer)) throw new Error('not a buffer');
      this.frames.push(z.record(z.string(), z.unknown()).parse(JSON.parse(data.toString('utf8'))));
    });
    ws.once('close', (code) => {
      this.closedWith = code;
    });
  }

  send(frame: object): void {
    this.ws.send(JSON.stringify(frame));
  }

  hello(change: Readonly<Record<string, unknown>> = {}): void {
    this.send({ type: 'hello', version: '1.0', serverName: this.#server, limits: anyLimits, ...change });
  }

  types(): string[] {
    return this.frames.map(({ type }) => String(type));
  }

  /** Waits until the bridge has said goodbye and closed. @returns code of the bye */
  async bye(): Promise<string> {
    await eventually(() => (this.closedWith === undefined ? `open, with ${this.types().join(' ')}` : undefined), 4_000);
    const bye = this.frames.at(-1);
    return bye?.['type'] === 'bye' ? String(bye['code']) : `no bye, code ${String(this.closedWith)}`;
  }
}
