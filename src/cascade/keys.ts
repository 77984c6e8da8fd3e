// Owns the keys that we have handed out: each is good for one connection, for a short time, for one server.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ServerName } from '../call/ids.ts';
import type { Clock } from '../control/ports/clock.ts';

/** Whoever shows a key is this server's bridge and speaks this version. */
export interface Introduced {
  readonly server: ServerName;
  readonly version: string;
}

interface Issued extends Introduced {
  readonly digest: Buffer;
  readonly untilMs: number;
}

export class IssuedKeys {
  readonly #clock: Clock;
  readonly #lifetimeMs: number;
  #issued: readonly Issued[] = [];

  constructor(clock: Clock, lifetimeMs: number) {
    this.#clock = clock;
    this.#lifetimeMs = lifetimeMs;
  }

  /** 43 characters of base64url. */
  issue({ server, version }: Introduced): string {
    const key = randomBytes(32).toString('base64url');
    this.#issued = [...this.#live(), { server, version, digest: digestOf(key), untilMs: this.#clock.nowMs() + this.#lifetimeMs }];
    return key;
  }

  /** Post: the key is worth nothing any more. undefined: it was never given, is used or too old. Takes the same time whatever was sent. */
  redeem(key: string): Introduced | undefined {
    const digest = digestOf(key);
    let found: Issued | undefined;
    for (const issued of this.#live()) if (timingSafeEqual(issued.digest, digest)) found = issued;
    this.#issued = this.#live().filter((issued) => issued !== found);
    return found;
  }

  #live(): readonly Issued[] {
    const nowMs = this.#clock.nowMs();
    return this.#issued.filter(({ untilMs }) => untilMs > nowMs);
  }
}

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
