// Owns how often somebody may do something within a minute, of whom nothing is known but a name or an address.
import type { Clock } from '../control/ports/clock.ts';

const minuteMs = 60_000;
const maxKeys = 10_000;

interface Minute {
  readonly sinceMs: number;
  count: number;
}

export class Allowance {
  readonly #clock: Clock;
  readonly #perMinute: number;
  readonly #minutes = new Map<string, Minute>();

  constructor(clock: Clock, perMinute: number) {
    this.#clock = clock;
    this.#perMinute = perMinute;
  }

  /** False: it is used up, for at most a minute. */
  take(key: string): boolean {
    const minute = this.#minuteOf(key);
    if (minute.count >= this.#perMinute) return false;
    minute.count += 1;
    return true;
  }

  #minuteOf(key: string): Minute {
    const nowMs = this.#clock.nowMs();
    const known = this.#minutes.get(key);
    if (known !== undefined && nowMs - known.sinceMs < minuteMs) return known;
    if (this.#minutes.size >= maxKeys) this.#forget(nowMs);
    const fresh = { sinceMs: nowMs, count: 0 };
    this.#minutes.delete(key);
    this.#minutes.set(key, fresh);
    return fresh;
  }

  /** The oldest tenth goes in any case: it must not grow with the number of those who ask. */
  #forget(nowMs: number): void {
    let left = maxKeys / 10;
    for (const [key, { sinceMs }] of this.#minutes) {
      if (left-- <= 0 && nowMs - sinceMs < minuteMs) return;
      this.#minutes.delete(key);
    }
  }
}
