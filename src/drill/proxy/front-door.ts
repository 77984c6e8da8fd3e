// Owns the TCP proxy before a bridge's public listener: links of neighbours can be cut, mended and listened to; people's connections pass.
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface FrontDoorOptions {
  readonly host: string;
  readonly port: number;
  /** The bridge's own listener, at the same host. */
  readonly targetPort: number;
}

/** open: all passes. silent: nothing passes and nothing is said, as a network that is down. reset: connections are broken, new ones too. */
type LinkMode = 'open' | 'silent' | 'reset';
export type Direction = 'toBridge' | 'fromBridge';
type Tap = (connection: number, direction: Direction, bytes: Buffer) => void;

interface Link {
  readonly id: number;
  readonly outside: Socket;
  readonly inside: Socket;
}

/** The request line of a neighbour's link (docs/protocol/cascade.md §1). */
const linkRequest = /^GET \S*\/cascade(?:\?\S*)? HTTP/;
const longestRequestLine = 4096;

export class FrontDoor implements AsyncDisposable {
  readonly #options: FrontDoorOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #links = new Set<Link>();
  readonly #taps = new Set<Tap>();
  #mode: LinkMode = 'open';
  #opened = 0;
  /** The most link connections that were there at the same time. */
  mostLinks = 0;

  static async open(options: FrontDoorOptions): Promise<FrontDoor> {
    const door = new FrontDoor(options);
    door.#server.listen(options.port, options.host);
    await once(door.#server, 'listening');
    return door;
  }

  private constructor(options: FrontDoorOptions) {
    this.#options = options;
    this.#server = createServer({ pauseOnConnect: false, noDelay: true }, (socket) => {
      this.#arrived(socket);
    });
  }

  /** Link connections at present. */
  get links(): number {
    return this.#links.size;
  }

  /** Link connections since the opening. */
  get linksOpened(): number {
    return this.#opened;
  }

  tap(tap: Tap): void {
    this.#taps.add(tap);
  }

  set(mode: LinkMode): void {
    this.#mode = mode;
    for (const link of this.#links) this.#apply(link);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #arrived(outside: Socket): void {
    this.#keep(outside);
    let head = Buffer.alloc(0);
    const read = (bytes: Buffer): void => {
      head = Buffer.concat([head, bytes]);
      const end = head.indexOf('\r\n');
      if (end < 0 && head.length < longestRequestLine) return;
      outside.off('data', read);
      outside.pause();
      this.#forward(outside, head, linkRequest.test(head.subarray(0, Math.max(end, 0)).toString('latin1')));
    };
    outside.on('data', read);
  }

  #forward(outside: Socket, head: Buffer, isLink: boolean): void {
    if (isLink && this.#mode === 'reset') {
      outside.resetAndDestroy();
      return;
    }
    const inside = connect({ host: this.#options.host, port: this.#options.targetPort, noDelay: true });
    this.#keep(inside);
    const link = isLink ? { id: ++this.#opened, outside, inside } : undefined;
    const carry = (from: Socket, to: Socket, direction: Direction): void => {
      const pass = (bytes: Buffer): void => {
        if (link !== undefined) for (const tap of this.#taps) tap(link.id, direction, bytes);
        // The bridge's own bounds are what is looked at: nothing may be kept here.
        if (!to.write(bytes)) {
          from.pause();
          to.once('drain', () => {
            if (link === undefined || this.#mode !== 'silent') from.resume();
          });
        }
      };
      from.on('data', pass);
      from.on('end', () => to.end());
      if (direction === 'toBridge') pass(head);
    };
    if (link !== undefined) {
      this.#links.add(link);
      this.mostLinks = Math.max(this.mostLinks, this.#links.size);
    }
    for (const [socket, other] of [[outside, inside], [inside, outside]] as const) {
      socket.on('close', () => {
        // Over a network that is down nobody hears of it.
        if (link !== undefined && this.#mode === 'silent') return;
        other.destroy();
        if (link !== undefined) this.#links.delete(link);
      });
    }
    inside.once('connect', () => {
      const begin = (): void => {
        carry(outside, inside, 'toBridge');
        carry(inside, outside, 'fromBridge');
        outside.resume();
        if (link !== undefined) this.#apply(link);
      };
      if (link === undefined || this.#mode !== 'silent') begin();
      else this.#whenMended.push(begin);
    });
  }

  readonly #whenMended: (() => void)[] = [];

  #apply(link: Link): void {
    const { outside, inside } = link;
    if (this.#mode === 'silent') {
      outside.pause();
      inside.pause();
      return;
    }
    for (const begin of this.#whenMended.splice(0)) begin();
    if (this.#mode === 'reset') {
      outside.resetAndDestroy();
      inside.resetAndDestroy();
      this.#links.delete(link);
    } else if (outside.destroyed || inside.destroyed) {
      outside.destroy();
      inside.destroy();
      this.#links.delete(link);
    } else {
      outside.resume();
      inside.resume();
    }
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
