// Owns the links to all neighbours: the port PeerLinks, and the door at which neighbours' connections arrive.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { ServerName } from '../call/ids.ts';
import type { Clock, Random } from '../control/ports/clock.ts';
import type { Introducer } from '../control/ports/introducer.ts';
import type { PeerLinks, PeerListener, PeerMessage } from '../control/ports/peer-links.ts';
import type { Route } from '../control/ports/route.ts';
import type { Logger } from '../log/logger.ts';
import { addressPolicy, type ListedAddressPolicy } from '../util/addresses.ts';
import { asError } from '../util/background.ts';
import { err, ok, type Result } from '../util/result.ts';
import { Acquaintances } from './acquaintances.ts';
import { connect } from './connect.ts';
import { Introducing } from './introducing.ts';
import { declined, type Declined } from './invitation.ts';
import { cascadeLimits, socketOptions, type CascadeLimits } from './limits.ts';
import { Neighbour, type Opened } from './neighbour.ts';
import { refusalLog, type CountRefusal } from './refusals.ts';
import { sometimes } from '../util/sometimes.ts';
import type { VouchingOptions } from './vouched.ts';
import { subprotocol } from './version.ts';

export interface PeerLinksOptions {
  readonly server: ServerName;
  readonly neighbours: readonly ServerName[];
  /** May servers that are not listed be neighbours too? Default: no. */
  readonly acceptsAny?: boolean;
  /** The second means of introduction; left out: neither used nor answered. */
  readonly vouching?: VouchingOptions;
  /** Where neighbours open links: `wss://…/cascade`. */
  readonly publicUrl: string;
  readonly introducer: Introducer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Networks (CIDR) of neighbours that are reached although they are private. Plain `ws:` is for these only. */
  readonly privateAddresses: readonly string[];
  readonly limits?: Partial<CascadeLimits>;
}

export interface CascadeLinks extends PeerLinks {
  /** False: the path is not ours, the caller answers. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  /** Of the public listener. */
  readonly routes: readonly Route[];
  /** Once. Introductions and connections are refused before. */
  start(listener: PeerListener): void;
  /** Post: every link is closed, with a word to the other side; the listener was told. */
  close(): Promise<void>;
}

/** @throws TypeError naming a private network that is none */
export function createPeerLinks(options: PeerLinksOptions): CascadeLinks {
  return new LinkSet(options);
}

class LinkSet implements CascadeLinks {
  readonly #options: PeerLinksOptions;
  readonly #limits: CascadeLimits;
  readonly #policy: ListedAddressPolicy;
  readonly #listed: ReadonlyMap<ServerName, Neighbour>;
  readonly #acquaintances: Acquaintances;
  readonly #introducing: Introducing;
  readonly #sockets: WebSocketServer;
  readonly #strangers = new Map<string, number>();
  readonly #refused: CountRefusal;
  #listener: PeerListener | undefined;
  readonly #mayLog: () => boolean;
  #closed = false;

  constructor(options: PeerLinksOptions) {
    this.#options = options;
    this.#limits = { ...cascadeLimits, ...options.limits };
    this.#mayLog = sometimes(options.clock);
    this.#policy = addressPolicy(options.privateAddresses);
    const { clock, log, server, acceptsAny = false, vouching } = options;
    const names = new Set(options.neighbours.filter((name) => name !== server));
    const common = { own: server, clock, limits: this.#limits, log };
    this.#listed = new Map([...names].map((name) => [name, this.#neighbour(name)]));
    this.#acquaintances = new Acquaintances({ ...common, make: (name) => this.#neighbour(name), open: (name, signal) => this.#open(name, signal), missed: (name) => this.#tell((listener) => listener.notFound(name)) });
    this.#refused = refusalLog(clock, log, (code, name) => this.#count(code, name));
    this.#introducing = new Introducing({ ...common, publicUrl: options.publicUrl, introducer: options.introducer, isListed: (name) => names.has(name), acceptsAny, vouching, policy: this.#policy, refused: this.#refused });
    this.#sockets = new WebSocketServer({ noServer: true, ...socketOptions, handleProtocols: () => subprotocol });
  }

  get acceptsAny(): boolean {
    return this.#options.acceptsAny ?? false;
  }

  get routes(): readonly Route[] {
    return this.#introducing.routes;
  }

  start(listener: PeerListener): void {
    if (this.#listener !== undefined) throw new Error('the links are started already');
    this.#listener = listener;
    this.#introducing.start();
  }

  want(servers: ReadonlySet<ServerName>): void {
    if (this.#closed) return;
    for (const [name, neighbour] of this.#listed) neighbour.want(servers.has(name));
    this.#acquaintances.want(servers);
  }

  neighbours(): readonly ServerName[] {
    return this.#all().map(([name]) => name);
  }

  isNeighbour(server: ServerName): boolean {
    return this.#get(server) !== undefined;
  }

  seek(servers: Iterable<ServerName>): void {
    if (!this.acceptsAny || this.#listener === undefined) return;
    this.#acquaintances.seek([...servers].filter((server) => !this.#listed.has(server)));
  }

  isSought(server: ServerName): boolean {
    return this.#acquaintances.isSought(server);
  }

  send(server: ServerName, message: PeerMessage): boolean {
    try {
      return this.#get(server)?.send(message) ?? false;
    } catch (error) {
      this.#options.log.error('message to a neighbour cannot be sent', { server, type: message.type, error: asError(error) });
      return false;
    }
  }

  status() {
    return this.#all().map(([, { status }]) => status);
  }

  strangers(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#strangers);
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const path = URL.parse(request.url ?? '/', 'http://localhost')?.pathname;
    // A reverse proxy may serve us under a prefix.
    if (path === undefined || !/(?:^|\/)cascade\/?$/.test(path)) return false;
    const { log } = this.#options;
    socket.on('error', (error) => log.debug('upgrade connection failed', { error }));
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
    if (this.#closed || this.#listener === undefined) {
      refuse(socket, 503, 'the bridge starts or stops: come back');
    } else if (!offered.includes(subprotocol)) {
      if (this.#mayLog()) log.warn('link refused: another protocol', { ours: subprotocol, theirs: offered.join(', ').slice(0, 80) });
      refuse(socket, 400, `this bridge speaks ${subprotocol}`);
    } else {
      this.#admit(request, socket, head);
    }
    return true;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#introducing.close();
    await Promise.all([...[...this.#listed.values()].map((neighbour) => neighbour.close()), this.#acquaintances.close()]);
    this.#sockets.close();
  }

  #admit(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const key = /^Bearer +(?<key>\S+)$/i.exec(request.headers.authorization ?? '')?.groups?.['key'];
    const introduced = key === undefined ? undefined : this.#introducing.redeem(key);
    if (introduced === undefined) {
      if (this.#mayLog()) this.#options.log.warn('link refused: wrong key', { hint: 'a key is good for one connection within 30 seconds' });
      refuse(socket, 401, 'the key is not good, or not any more');
      return;
    }
    const { server, version } = introduced;
    const neighbour = this.#listed.get(server) ?? this.#acquaintances.admit(server);
    if (neighbour === undefined) {
      this.#refused('introductionFlood', server, { hint: 'too many neighbours that are not listed share calls' });
      refuse(socket, 503, 'this bridge has too many neighbours: come back');
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (ws) => neighbour.adopt({ ws, version }, server));
  }

  #all(): readonly (readonly [ServerName, Neighbour])[] {
    return [...this.#listed, ...this.#acquaintances.all()];
  }

  #get(server: ServerName): Neighbour | undefined {
    return this.#listed.get(server) ?? this.#acquaintances.get(server);
  }

  /** Whoever is no neighbour counts with all others: a stranger may give itself any name. */
  #count(code: string, server: ServerName | undefined): void {
    const neighbour = server === undefined ? undefined : this.#get(server);
    if (neighbour === undefined) this.#strangers.set(code, (this.#strangers.get(code) ?? 0) + 1);
    else neighbour.refused(code);
  }

  #neighbour(server: ServerName): Neighbour {
    const { server: own, clock, random } = this.#options;
    const log = this.#options.log.child({ server });
    const mayLog = sometimes(clock);
    const neighbour = new Neighbour({ own, server, clock, random, limits: this.#limits, log, open: (signal) => this.#reopen(server, signal) }, {
      linkUp: () => this.#tell((listener) => listener.linkUp(server)),
      linkDown: (reason) => this.#tell((listener) => listener.linkDown(server, reason)),
      received: (message) => {
        // Media are sent wherever a neighbour says, but not anywhere.
        if (message.type !== 'media' || this.#policy.allows(message.address)) {
          this.#tell((listener) => listener.received(server, message));
          return;
        }
        neighbour.refused('mediaAddress');
        if (mayLog()) log.warn('media address of a neighbour refused', { address: message.address, room: message.room, hint: 'list its network in access.privateAddresses if it is right' });
      },
    });
    return neighbour;
  }

  async #open(server: ServerName, signal: AbortSignal): Promise<Result<Opened, Declined>> {
    const invitation = await this.#introducing.ask(server, signal);
    if (!invitation.ok) return invitation;
    const ws = await connect(invitation.value, { policy: this.#policy, signal });
    return ws.ok ? ok({ ws: ws.value, version: invitation.value.version }) : declined(ws.error);
  }

  async #reopen(server: ServerName, signal: AbortSignal): Promise<Result<Opened, string>> {
    const opened = await this.#open(server, signal);
    return opened.ok ? opened : err(opened.error.detail);
  }

  /** A listener that fails harms neither the link nor the process. */
  #tell(what: (listener: PeerListener) => void): void {
    try {
      if (this.#listener !== undefined) what(this.#listener);
    } catch (error) {
      this.#options.log.error('a message of a neighbour was not understood', { error: asError(error) });
    }
  }
}

function refuse(socket: Duplex, status: 400 | 401 | 503, body: string): void {
  const reason = { 400: 'Bad Request', 401: 'Unauthorized', 503: 'Service Unavailable' }[status];
  socket.end(`HTTP/1.1 ${status} ${reason}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
}
