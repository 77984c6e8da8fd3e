// Owns what waits to be sent over a link: at the pace that the other side takes, and not more than may wait.
import type { WebSocket } from 'ws';
import type { Clock } from '../control/ports/clock.ts';
import { Rate } from './rate.ts';

export interface OutgoingOptions {
  readonly ws: WebSocket;
  readonly clock: Clock;
  /** Told by the other side; we keep to half of it, so that frames delayed on the way never look like a flood. */
  readonly limits: { readonly framesPerSecond: number; readonly bytesPerSecond: number };
}

const lookAgainMs = 50;

export class Outgoing {
  readonly #ws: WebSocket;
  readonly #clock: Clock;
  readonly #frames: Rate;
  readonly #bytes: Rate;
  readonly #waiting: string[] = [];
  #waitingBytes = 0;
  #cancel: (() => void) | undefined;

  constructor({ ws, clock, limits }: OutgoingOptions) {
    this.#ws = ws;
    this.#clock = clock;
    this.#frames = new Rate(limits.framesPerSecond / 2);
    this.#bytes = new Rate(limits.bytesPerSecond / 2);
  }

  /** Post: sent, or waiting behind what was given before. */
  send(frame: string): void {
    this.#waiting.push(frame);
    this.#waitingBytes += Buffer.byteLength(frame);
    if (this.#cancel === undefined) this.#flush();
  }

  /** Here and in the connection's own buffers. */
  get queuedBytes(): number {
    return this.#waitingBytes + this.#ws.bufferedAmount;
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
  }

  #flush(): void {
    this.#cancel = undefined;
    let sent = 0;
    const nowMs = this.#clock.nowMs();
    while (sent < this.#waiting.length && this.#frames.hasRoom(nowMs) && this.#bytes.hasRoom(nowMs)) {
      const frame = this.#waiting[sent] ?? '';
      const sizeBytes = Buffer.byteLength(frame);
      this.#frames.count(nowMs);
      this.#bytes.count(nowMs, sizeBytes);
      this.#waitingBytes -= sizeBytes;
      this.#ws.send(frame);
      sent += 1;
    }
    this.#waiting.splice(0, sent);
    if (this.#waiting.length > 0) this.#cancel = this.#clock.after(lookAgainMs, () => this.#flush());
  }
}
