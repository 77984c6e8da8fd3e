// Owns a link in memory between two bridges: messages are copied and arrive later, in order, while it is not cut.
import type { ServerName } from '../../src/call/ids.ts';
import type { PeerLinks, PeerListener, PeerMessage } from '../../src/control/ports/peer-links.ts';

interface End {
  readonly other: ServerName;
  readonly listener: PeerListener;
  wanted: boolean;
}

export class Wire {
  readonly sent: { readonly from: ServerName; readonly message: PeerMessage }[] = [];
  /** Changes what is on its way, as somebody between the two could. */
  onTheWay: (message: PeerMessage, from: ServerName) => PeerMessage = (message) => message;
  readonly #ends = new Map<ServerName, End>();
  #up = false;
  #cut = false;
  #sought = false;
  #strange = false;

  links(own: ServerName, other: ServerName): (listener: PeerListener) => PeerLinks {
    return (listener) => {
      const end: End = { other, listener, wanted: false };
      this.#ends.set(own, end);
      return {
        want: (servers) => {
          end.wanted = servers.has(other);
          this.#settle();
        },
        send: (_server, message) => {
          if (!this.#up) return false;
          this.sent.push({ from: own, message });
          this.deliver(other, own, message);
          return true;
        },
        acceptsAny: false,
        neighbours: () => [other],
        isNeighbour: (server) => server === other && !this.#strange,
        seek: () => undefined,
        isSought: (server) => server === other && this.#sought,
        strangers: () => ({}),
        status: () => [{ server: other, state: this.#up ? 'up' : 'down', roundTripMs: undefined, reason: undefined, queuedBytes: 0 }],
      };
    };
  }

  deliver(to: ServerName, from: ServerName, message: PeerMessage): void {
    const copy = structuredClone(this.onTheWay(message, from));
    setImmediate(() => this.#ends.get(to)?.listener.received(from, copy));
  }

  /** Each is looking for the other, and knows nothing of it yet. */
  seek(): void {
    this.#sought = true;
    this.#strange = true;
    this.#cut = true;
  }

  /** Neither was found. */
  giveUp(): void {
    this.#sought = false;
    for (const { listener, other } of this.#ends.values()) listener.notFound(other);
  }

  /** No link comes up until it is mended. */
  hold(): void {
    this.#cut = true;
  }

  cut(): void {
    this.#cut = true;
    this.#up = false;
    for (const { listener, other } of this.#ends.values()) listener.linkDown(other, 'cut');
  }

  mend(): void {
    this.#cut = false;
    this.#settle();
  }

  of(type: PeerMessage['type'], from?: ServerName): PeerMessage[] {
    return this.sent.filter((each) => each.message.type === type && (from === undefined || each.from === from)).map(({ message }) => message);
  }

  #settle(): void {
    if (this.#up || this.#cut || ![...this.#ends.values()].some(({ wanted }) => wanted)) return;
    this.#up = true;
    setImmediate(() => {
      for (const { listener, other } of this.#ends.values()) listener.linkUp(other);
    });
  }
}
