// Owns a bare client of the signalling protocol: what it sends is exactly what the spec says, what comes back is kept.
import { SignalRequest, SignalResponse } from '@livekit/protocol';
import { WebSocket, type ClientOptions } from 'ws';
import type { Incoming, Outgoing } from '../../src/livekit/signal-socket.ts';
import { eventually } from './eventually.ts';

type Case = Outgoing['case'];
type Message<C extends Case> = Extract<Outgoing, { readonly case: C }>['value'];
/** Without the one kind that the protocol has given up. */
type Sent = Exclude<Incoming, { readonly case: 'updateLayers' }>;

export class RawClient implements Disposable {
  readonly #ws: WebSocket;
  readonly #got: Outgoing[] = [];
  #closed = false;

  private constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.binaryType = 'nodebuffer';
    ws.on('message', (data: Buffer) => {
      const { message } = SignalResponse.fromBinary(data);
      if (message.case !== undefined) this.#got.push(message);
    });
    ws.on('error', () => undefined);
    ws.on('close', () => {
      this.#closed = true;
    });
  }

  /** @throws Error with the HTTP status when the upgrade is refused */
  static async connect(address: string, options: ClientOptions = {}): Promise<RawClient> {
    const ws = new WebSocket(address, options);
    const client = new RawClient(ws);
    await new Promise<void>((resolve, reject) => {
      ws.once('open', () => resolve());
      ws.once('unexpected-response', (_request, response) => {
        ws.terminate();
        reject(new Error(`HTTP ${response.statusCode ?? 0}${response.headers['retry-after'] === undefined ? '' : `, retry after ${response.headers['retry-after']}`}`));
      });
      ws.once('error', reject);
    });
    return client;
  }

  send(message: Sent): void {
    this.#ws.send(new SignalRequest({ message }).toBinary());
  }

  sendFrame(frame: Uint8Array | string): void {
    this.#ws.send(frame);
  }

  /** Every message of that kind so far. */
  all<C extends Case>(kind: C): readonly Message<C>[] {
    return this.#got.flatMap((message) => (isOf(message.value, message.case === kind) ? [message.value] : []));
    function isOf(_value: Outgoing['value'], matches: boolean): _value is Message<C> {
      return matches;
    }
  }

  get kinds(): readonly Case[] {
    return this.#got.map((message) => message.case);
  }

  /** The message of that kind with this number, waiting for it. */
  async get<C extends Case>(kind: C, index = 0, timeoutMs = 10_000): Promise<Message<C>> {
    await eventually(() => (this.all(kind).length > index ? undefined : `no message ${kind} number ${index}, only ${this.kinds.join(', ')}`), timeoutMs);
    const message = this.all(kind)[index];
    if (message === undefined) throw new Error('unreachable');
    return message;
  }

  async closed(timeoutMs = 10_000): Promise<void> {
    await eventually(() => (this.#closed ? undefined : 'the connection is open'), timeoutMs);
  }

  /** No longer reads what comes. */
  pause(): void {
    this.#ws.pause();
  }

  [Symbol.dispose](): void {
    this.#ws.terminate();
  }
}
