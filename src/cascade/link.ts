// Owns one WebSocket to one neighbour: hello, frames in both directions, is it alive, and one orderly end.
import type { RawData, WebSocket } from 'ws';
import type { ServerName } from '../call/ids.ts';
import type { Clock } from '../control/ports/clock.ts';
import type { PeerMessage } from '../control/ports/peer-links.ts';
import type { Logger } from '../log/logger.ts';
import { decodeFrame } from './decode.ts';
import { encodeBye, encodeHello, encodeMessage } from './encode.ts';
import type { Bye, ByeCode, Frame, Hello } from './frames.ts';
import type { CascadeLimits } from './limits.ts';
import { Outgoing } from './outgoing.ts';
import { Rate } from './rate.ts';
import { sometimes } from '../util/sometimes.ts';
import { ourVersions, parseVersion } from './version.ts';

export interface LinkOptions {
  /** Open already. */
  readonly ws: WebSocket;
  readonly own: ServerName;
  readonly peer: ServerName;
  readonly openedBy: ServerName;
  /** Agreed in the introduction. */
  readonly version: string;
  readonly clock: Clock;
  readonly limits: CascadeLimits;
  readonly log: Logger;
}

export interface LinkListener {
  /** Once: both hellos were exchanged. */
  ready(): void;
  received(message: PeerMessage): void;
  /** People and tracks over the limits that we have told. */
  leftOut(count: number): void;
  /** Once, also when it was never ready. Nothing is received or sent after it. */
  ended(reason: LinkEnd): void;
}

export interface LinkEnd {
  readonly code: ByeCode | 'other' | 'lost';
  readonly by: 'us' | 'them';
  /** For the operator. */
  readonly text: string;
}

const closeTimeoutMs = 2_000;
const maxUint31 = 2 ** 31;

export class Link {
  readonly openedBy: ServerName;
  readonly #options: LinkOptions;
  readonly #listener: LinkListener;
  readonly #frames: Rate;
  readonly #bytes: Rate;
  readonly #gone = Promise.withResolvers<undefined>();
  readonly #cancels = new Set<() => void>();
  readonly #mayLog: () => boolean;
  #outgoing: Outgoing | undefined;
  #state: 'greeting' | 'ready' | 'ended' = 'greeting';
  #heardAtMs: number;
  #pings = 0;
  #pingAtMs = 0;
  #roundTripMs: number | undefined;

  constructor(options: LinkOptions, listener: LinkListener) {
    const { ws, clock, limits, openedBy } = options;
    this.openedBy = openedBy;
    this.#options = options;
    this.#listener = listener;
    this.#frames = new Rate(limits.framesPerSecond);
    this.#bytes = new Rate(limits.bytesPerSecond);
    this.#mayLog = sometimes(clock);
    this.#heardAtMs = clock.nowMs();
    ws.on('message', (data, isBinary) => {
      const bytes = bytesOf(data);
      this.#heard(bytes.length, () => this.#take(bytes, isBinary));
    });
    ws.on('ping', ({ length }) => this.#heard(length, () => undefined));
    ws.on('pong', (payload) => this.#heard(payload.length, () => this.#pong(payload)));
    // An error is always followed by close; a frame may have been too large or malformed.
    let detail = '';
    ws.on('error', (error) => {
      detail = error.message;
    });
    const closed = (code: number) => {
      this.#gone.resolve(undefined);
      this.#end({ code: 'lost', by: 'us', text: `the connection was lost (${detail === '' ? `code ${code}` : detail})` });
    };
    if (ws.readyState === ws.CLOSED) queueMicrotask(() => closed(1006));
    else ws.once('close', closed);
    ws.send(encodeHello({ type: 'hello', version: options.version, serverName: options.own, limits: pick(limits) }));
    this.#after(limits.helloTimeoutMs, () => {
      if (this.#state === 'greeting') this.close('timeout', 'no hello came');
    });
    this.#ping();
    this.#watchSilence(limits.silentAfterMs);
    ws.resume();
  }

  /** Open, and the other's hello has not come yet. */
  get isGreeting(): boolean {
    return this.#state === 'greeting';
  }

  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  get queuedBytes(): number {
    return this.#outgoing?.queuedBytes ?? 0;
  }

  /** Resolves when the connection is gone. */
  get gone(): Promise<undefined> {
    return this.#gone.promise;
  }

  /** False: not ready, or it was too much and the link is closed now. @throws RangeError for a message that can be in no frame */
  send(message: PeerMessage): boolean {
    if (this.#state !== 'ready' || this.#outgoing === undefined) return false;
    for (const frame of encodeMessage(message)) this.#outgoing.send(frame);
    const { maxQueuedBytes } = this.#options.limits;
    const queuedBytes = this.#outgoing.queuedBytes;
    if (queuedBytes <= maxQueuedBytes) return true;
    this.#end({ code: 'slow', by: 'us', text: `${queuedBytes} bytes waited to be sent: it does not read fast enough` });
    // A word of farewell would wait behind all the rest.
    this.#options.ws.terminate();
    return false;
  }

  /** Says why, and closes. Post: ended; the connection is gone within two seconds, whether the other side answers or not. */
  close(code: ByeCode, text: string): void {
    if (this.#state === 'ended') return;
    this.#end({ code, by: 'us', text });
    const { ws } = this.#options;
    if (ws.readyState === ws.OPEN) ws.send(encodeBye({ code, text }));
    this.#shut(code);
  }

  #heard(sizeBytes: number, then: () => void): void {
    if (this.#state === 'ended') return;
    const { clock, limits } = this.#options;
    this.#heardAtMs = clock.nowMs();
    if (!this.#frames.count(this.#heardAtMs)) this.close('flood', `more than ${limits.framesPerSecond} frames a second`);
    else if (!this.#bytes.count(this.#heardAtMs, sizeBytes)) this.close('flood', `more than ${limits.bytesPerSecond} bytes a second`);
    else then();
  }

  #take(bytes: Buffer, isBinary: boolean): void {
    if (isBinary) {
      this.close('protocolError', 'a binary frame');
      return;
    }
    const decoded = decodeFrame(bytes.toString('utf8'), this.#options.limits);
    if (!decoded.ok) {
      this.close('protocolError', decoded.error);
      return;
    }
    const { frame, leftOut } = decoded.value;
    if (leftOut > 0) {
      this.#listener.leftOut(leftOut);
      if (this.#mayLog()) this.#options.log.warn('the neighbour announces more than we take: left out', { type: frame?.type, leftOut });
    }
    if (frame !== undefined) this.#dispatch(frame);
  }

  #dispatch(frame: Frame): void {
    if (frame.type === 'bye') this.#farewell(frame);
    else if (frame.type === 'hello' && this.#state === 'greeting') this.#greeted(frame);
    else if (frame.type === 'hello') this.close('protocolError', 'a second hello');
    else if (this.#state === 'greeting') this.close('protocolError', `${frame.type} before hello`);
    else this.#listener.received(frame);
  }

  #greeted({ version, serverName, limits }: Hello): void {
    const { peer, ws, clock, version: agreed } = this.#options;
    if (parseVersion(version)?.major !== parseVersion(agreed)?.major) {
      this.close('version', `the other speaks ${JSON.stringify(version)}, we speak ${ourVersions.join(', ')}`);
    } else if (serverName !== peer) {
      this.close('forbidden', `it says that it is ${serverName}, its homeserver says ${peer}`);
    } else {
      this.#outgoing = new Outgoing({ ws, clock, limits });
      this.#state = 'ready';
      this.#listener.ready();
    }
  }

  #farewell({ code, text }: Bye): void {
    this.#end({ code, by: 'them', text: text === '' ? code : `${code}: ${text}` });
    this.#shut('');
  }

  #shut(reason: string): void {
    const { ws } = this.#options;
    if (ws.readyState === ws.CLOSED) return;
    ws.close(1000, reason);
    const timeout = setTimeout(() => ws.terminate(), closeTimeoutMs);
    ws.once('close', () => clearTimeout(timeout));
  }

  #end(reason: LinkEnd): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
    this.#outgoing?.close();
    this.#listener.ended(reason);
  }

  #ping(): void {
    const { ws, clock, limits } = this.#options;
    if (ws.readyState === ws.OPEN) {
      this.#pings = (this.#pings + 1) % maxUint31;
      this.#pingAtMs = clock.nowMs();
      ws.ping(String(this.#pings));
    }
    this.#after(limits.pingEveryMs, () => this.#ping());
  }

  #pong(payload: Buffer): void {
    if (payload.toString('latin1') === String(this.#pings)) this.#roundTripMs = this.#options.clock.nowMs() - this.#pingAtMs;
  }

  /** One timer for many frames: it looks again when the last frame was later than its start. */
  #watchSilence(delayMs: number): void {
    const { clock, limits, ws } = this.#options;
    this.#after(delayMs, () => {
      const silentMs = clock.nowMs() - this.#heardAtMs;
      if (silentMs < limits.silentAfterMs) {
        this.#watchSilence(limits.silentAfterMs - silentMs);
        return;
      }
      this.close('timeout', `nothing was heard for ${Math.round(silentMs / 1_000)} s`);
      ws.terminate();
    });
  }

  #after(delayMs: number, run: () => void): void {
    const cancel = this.#options.clock.after(delayMs, () => {
      this.#cancels.delete(cancel);
      run();
    });
    this.#cancels.add(cancel);
  }
}

function pick({ people, tracksPerPerson, framesPerSecond, bytesPerSecond }: CascadeLimits): Hello['limits'] {
  return { people, tracksPerPerson, framesPerSecond, bytesPerSecond };
}

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? Buffer.from(data) : data;
}
