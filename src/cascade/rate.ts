// Owns counting over time: who floods, and how much we may send ourselves. Pure; time arrives with each call.

const windowSeconds = 5;

/** Sums up the last five seconds, in whole seconds: never more than really came within five. */
export class Rate {
  readonly #max: number;
  readonly #counts = new Map<number, number>();

  /** @param perSecond as a mean over five seconds */
  constructor(perSecond: number) {
    this.#max = perSecond * windowSeconds;
  }

  /** False: this is more than allowed. It counts all the same. */
  count(nowMs: number, amount = 1): boolean {
    const second = Math.floor(nowMs / 1_000);
    this.#counts.set(second, (this.#counts.get(second) ?? 0) + amount);
    return this.#sum(second) <= this.#max;
  }

  hasRoom(nowMs: number): boolean {
    return this.#sum(Math.floor(nowMs / 1_000)) < this.#max;
  }

  #sum(second: number): number {
    let sum = 0;
    for (const [at, count] of this.#counts) {
      if (at > second - windowSeconds && at <= second) sum += count;
      else this.#counts.delete(at);
    }
    return sum;
  }
}
