// Owns the nonces of introductions that were seen: one that is sent again gets no key.
import type { ServerName } from '../call/ids.ts';
import type { Clock } from '../control/ports/clock.ts';

const lifetimeMs = 600_000;
const maxServers = 1_000;

export class Nonces {
  readonly #clock: Clock;
  readonly #seen = new Map<ServerName, ReadonlyMap<string, number>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  has(server: ServerName, nonce: string): boolean {
    return this.#live(server).has(nonce);
  }

  /** When this server's nonces of the last so many milliseconds came, oldest first. */
  within(server: ServerName, ms: number): readonly number[] {
    const nowMs = this.#clock.nowMs();
    return [...this.#live(server).values()].filter((atMs) => nowMs - atMs < ms);
  }

  add(server: ServerName, nonce: string): void {
    // Only where every server may introduce itself are there so many.
    if (this.#seen.size >= maxServers && !this.#seen.has(server)) this.#forgetOld();
    this.#seen.set(server, new Map(this.#live(server)).set(nonce, this.#clock.nowMs()));
  }

  #live(server: ServerName): ReadonlyMap<string, number> {
    const nowMs = this.#clock.nowMs();
    return new Map([...(this.#seen.get(server) ?? [])].filter(([, atMs]) => nowMs - atMs < lifetimeMs));
  }

  #forgetOld(): void {
    for (const server of [...this.#seen.keys()]) if (this.#live(server).size === 0) this.#seen.delete(server);
    const [oldest] = this.#seen.keys();
    if (this.#seen.size >= maxServers && oldest !== undefined) this.#seen.delete(oldest);
  }
}
