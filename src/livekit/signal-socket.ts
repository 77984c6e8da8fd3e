// Owns one client's WebSocket: frames in both directions, and the limit for a client that does not read.
import { SignalRequest, SignalResponse } from '@livekit/protocol';
import type { RawData, WebSocket } from 'ws';
import type { Logger } from '../log/logger.ts';

export type Incoming = Exclude<SignalRequest['message'], { case: undefined }>;
export type Outgoing = Exclude<SignalResponse['message'], { case: undefined }>;
export type Send = (message: Outgoing) => void;

export interface SocketListener {
  /** Messages of kinds that we do not know are left out. */
  received(message: Incoming): void;
  /** A frame that is no message of the protocol. */
  garbled(error: Error): void;
  /** Once. Nothing is received or sent after it. */
  closed(): void;
}

/** What may wait for a slow reader before the connection is given up. */
const maxBufferedBytes = 4 * 1024 * 1024;
const closeTimeoutMs = 2_000;

export class SignalSocket {
  readonly #ws: WebSocket;
  readonly #log: Logger;

  constructor(ws: WebSocket, listener: SocketListener, log: Logger) {
    this.#ws = ws;
    this.#log = log;
    ws.on('message', (data, isBinary) => this.#decode(data, isBinary, listener));
    // An error is always followed by close; the frame may have been too large or malformed.
    ws.on('error', (error) => log.debug('signalling connection failed', { error }));
    ws.once('close', () => {
      ws.removeAllListeners('message');
      listener.closed();
    });
  }

  send(message: Outgoing): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    this.#ws.send(new SignalResponse({ message }).toBinary());
    if (this.#ws.bufferedAmount <= maxBufferedBytes) return;
    this.#log.warn('client does not read its messages', { bufferedBytes: this.#ws.bufferedAmount });
    this.#ws.terminate();
  }

  /** Post: closed within two seconds, whether the client answers or not. */
  close(): void {
    if (this.#ws.readyState === this.#ws.CLOSED) return;
    this.#ws.close(1000);
    const timeout = setTimeout(() => this.#ws.terminate(), closeTimeoutMs);
    this.#ws.once('close', () => clearTimeout(timeout));
  }

  #decode(data: RawData, isBinary: boolean, listener: SocketListener): void {
    let request: SignalRequest;
    try {
      if (!isBinary) throw new TypeError('a text frame');
      request = SignalRequest.fromBinary(bytesOf(data));
    } catch (error) {
      listener.garbled(new Error('a frame is not a message of the signalling protocol', { cause: error }));
      return;
    }
    // New kinds of messages come every few weeks: unknown ones must not hurt.
    if (request.message.case !== undefined) listener.received(request.message);
  }
}

function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data;
}
