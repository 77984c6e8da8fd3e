// Owns sign-ins of plain browsers: a code that the person says in the room, then a signed, revocable memory of the device.
import { callError, type CallError } from '../call/errors.ts';
import type { RoomId, Slug, UserId } from '../call/ids.ts';
import { err, ok, type Result } from '../util/result.ts';
import type { Clock, Random } from './ports/clock.ts';
import type { SignInStore } from './ports/store.ts';
import type { SignIns } from './ports/tickets.ts';
import type { RoomBook } from './room-book.ts';

export interface Pairing {
  /** Known to the browser alone: with it the browser asks how the pairing stands. */
  readonly secret: string;
  /** Six digits, said in the room. */
  readonly code: string;
  readonly expiresAtMs: number;
}

export type PairingState =
  | { readonly status: 'waiting' }
  | { readonly status: 'expired' }
  | { readonly status: 'paired'; readonly signIn: string; readonly user: UserId; readonly expiresAtMs: number };

export interface SignInDeskOptions {
  readonly store: SignInStore;
  readonly tokens: SignIns;
  readonly rooms: RoomBook;
  readonly clock: Clock;
  readonly random: Random;
  readonly signInLifetimeMs: number;
}

interface PendingPairing extends Pairing {
  /** undefined: the address stands for no room; the code exists all the same, and nobody can say it anywhere. */
  readonly room: RoomId | undefined;
  readonly settled: PromiseWithResolvers<undefined>;
  state: PairingState;
}

const pairingLifetimeMs = 5 * 60_000;
const maxPairings = 10_000;
const maxPairingsPerRoom = 50;
const wrongCodes = { allowed: 5, withinMs: 10 * 60_000 };

export class SignInDesk {
  readonly #options: SignInDeskOptions;
  readonly #pairings = new Map<string, PendingPairing>();
  readonly #wrong = new Map<UserId, number[]>();

  constructor(options: SignInDeskOptions) {
    this.#options = options;
  }

  /** Refused: tooManyRequests. The answer is of the same form whether or not the address stands for a room. */
  begin(slug: Slug): Result<Pairing, CallError> {
    const { rooms, random, clock } = this.#options;
    this.#forgetExpired();
    const room = rooms.bySlug(slug)?.room;
    const ofRoom = [...this.#pairings.values()].filter((pairing) => pairing.room === room);
    if (this.#pairings.size >= maxPairings || (room !== undefined && ofRoom.length >= maxPairingsPerRoom)) return err(callError('tooManyRequests', 'too many pairings wait', 30_000));
    let code = random.digits(6);
    while (ofRoom.some((pairing) => pairing.code === code)) code = random.digits(6);
    const pairing: PendingPairing = { secret: random.base32(32), code, room, expiresAtMs: clock.nowMs() + pairingLifetimeMs, settled: Promise.withResolvers<undefined>(), state: { status: 'waiting' } };
    this.#pairings.set(pairing.secret, pairing);
    return ok(pairing);
  }

  /** Waits until the pairing is settled, at most `waitMs`. Unknown secrets are expired. */
  async state(secret: string, waitMs: number): Promise<PairingState> {
    const { clock } = this.#options;
    this.#forgetExpired();
    const pairing = this.#pairings.get(secret);
    if (pairing === undefined) return { status: 'expired' };
    if (pairing.state.status === 'waiting') {
      const timeout = Promise.withResolvers<undefined>();
      const cancel = clock.after(Math.min(waitMs, Math.max(0, pairing.expiresAtMs - clock.nowMs())), () => {
        timeout.resolve(undefined);
      });
      await Promise.race([pairing.settled.promise, timeout.promise]);
      cancel();
    }
    if (pairing.state.status === 'waiting' && pairing.expiresAtMs <= clock.nowMs()) return { status: 'expired' };
    return pairing.state;
  }

  waits(room: RoomId, code: string): boolean {
    return this.#waiting(room, code) !== undefined;
  }

  /** Somebody says a code in a room. Refused: badRequest (unknown, used or expired), tooManyRequests. */
  async claim(room: RoomId, user: UserId, code: string): Promise<Result<undefined, CallError>> {
    const { clock, random, store, tokens, signInLifetimeMs } = this.#options;
    if (this.#wrongCodesOf(user).length >= wrongCodes.allowed) return err(callError('tooManyRequests', `${user} said too many wrong codes`, wrongCodes.withinMs));
    const pairing = this.#waiting(room, code);
    if (pairing === undefined) {
      this.#wrong.set(user, [...this.#wrongCodesOf(user), clock.nowMs()]);
      return err(callError('badRequest', 'no such code waits in this room'));
    }
    const signIn = { id: random.base32(26), user, expiresAtMs: clock.nowMs() + signInLifetimeMs };
    store.add(signIn.id, user, signIn.expiresAtMs);
    const text = await tokens.mint(signIn);
    pairing.state = { status: 'paired', signIn: text, user, expiresAtMs: signIn.expiresAtMs };
    pairing.settled.resolve(undefined);
    return ok(undefined);
  }

  /** Refused: signInInvalid (forged, expired, revoked). */
  async verify(text: string): Promise<Result<UserId, CallError>> {
    const { tokens, store, clock } = this.#options;
    const signIn = await tokens.verify(text);
    if (!signIn.ok) return signIn;
    const { id, user } = signIn.value;
    return store.isLive(id, user, clock.nowMs()) ? ok(user) : err(callError('signInInvalid', `sign-in ${id} was revoked`));
  }

  /** Forgets this device. Idempotent. Refused: signInInvalid (forged). */
  async revoke(text: string): Promise<Result<undefined, CallError>> {
    const signIn = await this.#options.tokens.verify(text);
    if (!signIn.ok) return signIn;
    this.#options.store.revoke(signIn.value.id);
    return ok(undefined);
  }

  #waiting(room: RoomId, code: string): PendingPairing | undefined {
    this.#forgetExpired();
    return [...this.#pairings.values()].find((pairing) => pairing.room === room && pairing.code === code && pairing.state.status === 'waiting');
  }

  #wrongCodesOf(user: UserId): number[] {
    const since = this.#options.clock.nowMs() - wrongCodes.withinMs;
    const recent = (this.#wrong.get(user) ?? []).filter((atMs) => atMs > since);
    if (recent.length === 0) this.#wrong.delete(user);
    return recent;
  }

  #forgetExpired(): void {
    const nowMs = this.#options.clock.nowMs();
    for (const [secret, { expiresAtMs }] of this.#pairings) if (expiresAtMs <= nowMs) this.#pairings.delete(secret);
  }
}
