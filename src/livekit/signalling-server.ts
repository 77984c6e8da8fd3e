// Owns the door for LiveKit clients: the WebSocket path /rtc of protocol v0 and the HTTP answers around it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { ICEServer } from '@livekit/protocol';
import { WebSocketServer, type WebSocket } from 'ws';
import { callError, type CallError } from '../call/errors.ts';
import type { Clock } from '../control/ports/clock.ts';
import type { CallDoor } from '../control/ports/session.ts';
import type { Logger } from '../log/logger.ts';
import { asError, background } from '../util/background.ts';
import { err, type Result } from '../util/result.ts';
import { readConnectRequest, type ConnectRequest } from './connect-request.ts';
import { toHttpRefusal, type HttpRefusal } from './refusals.ts';
import { Session } from './session.ts';
import { SignalSocket } from './signal-socket.ts';
import { toStateMismatch } from './wire-out.ts';

export interface SignallingOptions {
  /** From 1.9.0 to 1.13.6: clients choose what they use by it. */
  readonly serverVersion: string;
  readonly pingIntervalSeconds: number;
  readonly pingTimeoutSeconds: number;
  /** STUN and TURN servers that clients are told. */
  readonly iceServers: readonly { readonly urls: readonly string[]; readonly username?: string; readonly credential?: string }[];
  readonly joinTimeoutMs: number;
  /** Larger than any metadata that may be refused in words. */
  readonly maxMessageBytes: number;
  readonly maxSessions: number;
}

const defaultSignallingOptions: SignallingOptions = {
  serverVersion: '1.13.0',
  pingIntervalSeconds: 5,
  pingTimeoutSeconds: 15,
  iceServers: [],
  joinTimeoutMs: 60_000,
  maxMessageBytes: 1024 * 1024,
  maxSessions: 5_000,
};

export interface SignallingServerOptions {
  readonly door: CallDoor;
  readonly clock: Clock;
  readonly log: Logger;
  readonly options?: Partial<SignallingOptions>;
}

export interface SignallingServer {
  /** False: the path is not one of ours, the caller answers. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  /** False: the path is not one of ours, the caller answers. */
  handleRequest(request: IncomingMessage, response: ServerResponse): boolean;
  /** New sessions are refused with 503 from now on; running ones go on. */
  drain(): void;
  /** Tells every client to come back soon. Post: every socket is closed. The calls themselves are not told. */
  close(): Promise<void>;
}

const notFound: HttpRefusal = { status: 404, headers: {}, body: 'this signalling path is not served: use /rtc' };

export function createSignallingServer(options: SignallingServerOptions): SignallingServer {
  return new LiveKitSignalling(options);
}

class LiveKitSignalling implements SignallingServer {
  readonly #door: CallDoor;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #options: SignallingOptions;
  readonly #iceServers: readonly ICEServer[];
  readonly #sockets: WebSocketServer;
  readonly #sessions = new Set<Session>();
  #draining = false;

  constructor({ door, clock, log, options = {} }: SignallingServerOptions) {
    this.#door = door;
    this.#clock = clock;
    this.#log = log;
    this.#options = { ...defaultSignallingOptions, ...options };
    this.#iceServers = this.#options.iceServers.map(({ urls, username = '', credential = '' }) => new ICEServer({ urls: [...urls], username, credential }));
    // Messages are small and many: compression would cost memory per client and save little.
    this.#sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: this.#options.maxMessageBytes });
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const url = urlOf(request);
    const path = url === undefined ? undefined : signallingPath(url.pathname);
    if (url === undefined || path === undefined || path === 'root') return false;
    socket.on('error', (error) => this.#log.debug('upgrade connection failed', { error }));
    if (path !== 'rtc') {
      refuseUpgrade(socket, notFound);
      return true;
    }
    background(this.#log, 'open a session', this.#open(request, url, socket, head));
    return true;
  }

  handleRequest(request: IncomingMessage, response: ServerResponse): boolean {
    const url = urlOf(request);
    const path = url === undefined ? undefined : signallingPath(url.pathname);
    if (url === undefined || path === undefined || (path === 'root' && request.method !== 'HEAD' && request.method !== 'OPTIONS')) return false;
    response.setHeader('Access-Control-Allow-Origin', '*');
    if (request.method === 'OPTIONS') {
      response.writeHead(204, { 'Access-Control-Allow-Methods': 'GET, HEAD, OPTIONS', 'Access-Control-Allow-Headers': 'Authorization, Content-Type', 'Access-Control-Max-Age': '86400' }).end();
    } else if (path === 'root') {
      response.writeHead(200).end();
    } else if (path === 'other') {
      answer(response, notFound);
    } else if (path === 'rtc') {
      answer(response, { status: 426, headers: { Upgrade: 'websocket' }, body: 'this path speaks WebSocket' });
    } else {
      background(this.#log, 'validate a ticket', this.#validate(request, url, response));
    }
    return true;
  }

  drain(): void {
    this.#draining = true;
  }

  async close(): Promise<void> {
    this.#draining = true;
    const closed = [...this.#sockets.clients].map((ws) => new Promise<void>((resolve) => {
      if (ws.readyState === ws.CLOSED) resolve();
      else ws.once('close', () => resolve());
    }));
    for (const session of [...this.#sessions]) session.stop();
    await Promise.all(closed);
    this.#sockets.close();
  }

  async #open(request: IncomingMessage, url: URL, socket: Duplex, head: Buffer): Promise<void> {
    const admitted = await this.#admit(request, url);
    if (!admitted.ok) {
      this.#log.debug('upgrade refused', { code: admitted.error.code, detail: admitted.error.detail });
      refuseUpgrade(socket, toHttpRefusal(admitted.error));
      return;
    }
    if (socket.destroyed) return;
    this.#sockets.handleUpgrade(request, socket, head, (ws) => this.#start(ws, admitted.value));
  }

  #start(ws: WebSocket, request: ConnectRequest): void {
    if (request.reconnect) {
      // Sessions are not resumed: the client must come back with a new one, which it does at once.
      const socket = new SignalSocket(ws, { received: () => undefined, garbled: () => undefined, closed: () => undefined }, this.#log);
      socket.send({ case: 'leave', value: toStateMismatch() });
      socket.close();
      return;
    }
    const { serverVersion, pingIntervalSeconds, pingTimeoutSeconds, joinTimeoutMs } = this.#options;
    const settings = { serverVersion, pingIntervalSeconds, pingTimeoutSeconds, joinTimeoutMs, iceServers: this.#iceServers };
    const session = new Session(ws, { door: this.#door, request, clock: this.#clock, log: this.#log, settings, ended: () => this.#sessions.delete(session) });
    this.#sessions.add(session);
  }

  async #validate(request: IncomingMessage, url: URL, response: ServerResponse): Promise<void> {
    const admitted = await this.#admit(request, url);
    answer(response, admitted.ok ? { status: 200, headers: {}, body: 'success' } : toHttpRefusal(admitted.error));
  }

  /** The same answer for an upgrade and its validation. */
  async #admit(request: IncomingMessage, url: URL): Promise<Result<ConnectRequest, CallError>> {
    if (this.#draining) return err(callError('draining', 'the signalling server drains', 5_000));
    if (this.#sessions.size >= this.#options.maxSessions) return err(callError('full', `${this.#sessions.size} sessions are open`));
    const connect = readConnectRequest(request, url);
    if (connect === undefined) return err(callError('ticketInvalid', 'the request carries no ticket'));
    try {
      const ticket = await this.#door.validate(connect.ticket.reveal());
      return ticket.ok ? { ok: true, value: connect } : ticket;
    } catch (error) {
      this.#log.error('ticket cannot be validated', { error: asError(error) });
      return err(callError('mediaUnavailable', asError(error).message, 5_000));
    }
  }
}

/** A reverse proxy may serve us under a prefix. */
function signallingPath(pathname: string): 'rtc' | 'validate' | 'root' | 'other' | undefined {
  if (pathname === '/') return 'root';
  const match = /\/rtc(?<rest>\/.*)?$/.exec(pathname);
  if (match === null) return undefined;
  const rest = (match.groups?.['rest'] ?? '').replace(/\/$/, '');
  if (rest === '') return 'rtc';
  return rest === '/validate' ? 'validate' : 'other';
}

/** undefined: the request line holds no path that can be read. */
function urlOf(request: IncomingMessage): URL | undefined {
  return URL.parse(request.url ?? '/', 'http://localhost') ?? undefined;
}

function answer(response: ServerResponse, { status, headers, body }: HttpRefusal): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', ...headers }).end(body);
}

function refuseUpgrade(socket: Duplex, { status, headers, body }: HttpRefusal): void {
  const reasons: Readonly<Record<number, string>> = { 400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found', 429: 'Too Many Requests', 503: 'Service Unavailable' };
  const lines = Object.entries({ 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': String(Buffer.byteLength(body)), 'Access-Control-Allow-Origin': '*', Connection: 'close', ...headers });
  socket.end(`HTTP/1.1 ${status} ${reasons[status] ?? 'Error'}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`);
}
