// Owns the UDP border between bridges: every packet of the pipes passes here, is counted, and can be lost.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** One bridge's end: it listens at `real` and tells its neighbours to send to `announced`, on the same ports. */
export interface BorderSide {
  readonly real: string;
  readonly announced: string;
  readonly firstPort: number;
  readonly lastPort: number;
}

export interface Crossing {
  readonly packets: number;
  readonly bytes: number;
}

/** Told of every packet that is let through: from and to by place in the sides. */
type Watcher = (from: number, to: number, packet: Buffer) => void;

const receiveBufferBytes = 4 * 1024 * 1024;

export class MediaBorder implements AsyncDisposable {
  /** Nothing passes while this is set. */
  isCut = false;
  readonly #sides: readonly BorderSide[];
  readonly #sockets = new Map<string, Socket>();
  readonly #crossings = new Map<string, { packets: number; bytes: number }>();
  readonly #watchers = new Set<Watcher>();
  /** Packets that came from or went to where no bridge is: the border must not hide them. */
  strays = 0;

  static async open(sides: readonly BorderSide[]): Promise<MediaBorder> {
    const border = new MediaBorder(sides);
    for (const [place, side] of sides.entries()) {
      for (let port = side.firstPort; port <= side.lastPort; port += 1) await border.#bind(place, side.announced, port);
    }
    return border;
  }

  private constructor(sides: readonly BorderSide[]) {
    this.#sides = sides;
  }

  /** What has crossed since the opening. Without `to`: to all. */
  crossed(from: number, to?: number): Crossing {
    let packets = 0;
    let bytes = 0;
    for (const other of to === undefined ? this.#sides.keys() : [to]) {
      const found = this.#crossings.get(`${from} ${other}`);
      packets += found?.packets ?? 0;
      bytes += found?.bytes ?? 0;
    }
    return { packets, bytes };
  }

  /** @returns ends the watching */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [...this.#sockets.values()].map(async (socket) => {
        const closed = once(socket, 'close');
        socket.close();
        await closed;
      }),
    );
  }

  async #bind(place: number, address: string, port: number): Promise<void> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: receiveBufferBytes, sendBufferSize: receiveBufferBytes });
    socket.bind(port, address);
    await once(socket, 'listening');
    // A bridge that is away refuses: that is its business.
    socket.on('error', () => undefined);
    socket.on('message', (packet, { port: fromPort }) => {
      this.#pass(place, port, fromPort, packet);
    });
    this.#sockets.set(`${place} ${port}`, socket);
  }

  /** The neighbour believes its packets only if they come from where the sender says it is. */
  #pass(to: number, toPort: number, fromPort: number, packet: Buffer): void {
    const from = this.#sides.findIndex(({ firstPort, lastPort }) => fromPort >= firstPort && fromPort <= lastPort);
    const out = this.#sockets.get(`${from} ${fromPort}`);
    const target = this.#sides[to];
    if (out === undefined || target === undefined) {
      this.strays += 1;
      return;
    }
    if (this.isCut) return;
    const key = `${from} ${to}`;
    const counted = this.#crossings.get(key) ?? { packets: 0, bytes: 0 };
    counted.packets += 1;
    counted.bytes += packet.length;
    this.#crossings.set(key, counted);
    for (const watcher of this.#watchers) watcher(from, to, packet);
    out.send(packet, toPort, target.real);
  }
}
