// Owns the count of bytes since the start, across transports that come and go.

export interface Traffic {
  readonly received: number;
  readonly sent: number;
}

export class TrafficMeter {
  readonly #open = new Map<string, Traffic>();
  #closed: Traffic = { received: 0, sent: 0 };

  /** Figures of one open transport; they only grow. */
  read(transportId: string, traffic: Traffic): void {
    this.#open.set(transportId, traffic);
  }

  /** What was read last of it stays in the total; what flowed after that is not counted. */
  close(transportId: string): void {
    const last = this.#open.get(transportId);
    if (last === undefined) return;
    this.#open.delete(transportId);
    this.#closed = sum(this.#closed, last);
  }

  total(): Traffic {
    return [...this.#open.values()].reduce(sum, this.#closed);
  }
}

function sum(a: Traffic, b: Traffic): Traffic {
  return { received: a.received + b.received, sent: a.sent + b.sent };
}
