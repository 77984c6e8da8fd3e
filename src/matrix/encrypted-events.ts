// Owns what becomes of an encrypted event: read, waited for, or given up when its key does not come.
import type { EventId, RoomId } from '../call/ids.ts';
import type { Clock } from '../control/ports/clock.ts';
import type { Logger } from '../log/logger.ts';
import type { Encryption } from './encryption/encryption.ts';
import { decodeDecrypted, type EncryptedEvent, type MessageEvent } from './event-decoder.ts';
import { HomeserverError } from './homeserver-error.ts';

export interface EncryptedEventsOptions {
  readonly encryption: Pick<Encryption, 'decrypt'>;
  /** How long a key may take to come. */
  readonly keyWaitMs: number;
  /** Reads again what was put off in the room. */
  readonly again: (room: RoomId) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

export type Reading =
  | { readonly kind: 'message'; readonly event: MessageEvent }
  /** Nothing that is for us, or not what it pretends to be. */
  | { readonly kind: 'nothing' }
  /** To be read again when the room is. */
  | { readonly kind: 'later' }
  /** Its key has not come and is not waited for any more. */
  | { readonly kind: 'noKey' };

const machineAgainMs = 2_000;

export class EncryptedEvents {
  readonly #options: EncryptedEventsOptions;
  /** Until when each unread event is waited for. After a restart the wait begins anew: keys come after it too. */
  readonly #waits = new Map<EventId, number>();
  readonly #timers = new Map<RoomId, () => void>();

  constructor(options: EncryptedEventsOptions) {
    this.#options = options;
  }

  async read(event: EncryptedEvent): Promise<Reading> {
    const { encryption, log } = this.#options;
    const where = { room: event.room, by: event.sender, event: event.eventId, session: event.session };
    let decrypted: Awaited<ReturnType<Encryption['decrypt']>>;
    try {
      decrypted = await encryption.decrypt(event.raw);
    } catch (error) {
      if (!(error instanceof HomeserverError)) throw error;
      this.#readAgain(event.room, machineAgainMs);
      return { kind: 'later' };
    }
    if (decrypted.kind === 'noKey' && this.#mayStillCome(event)) return { kind: 'later' };
    this.#waits.delete(event.eventId);
    switch (decrypted.kind) {
      case 'clear': {
        const message = decodeDecrypted(event, decrypted);
        return message === undefined ? { kind: 'nothing' } : { kind: 'message', event: message };
      }
      case 'noKey':
      case 'withheld':
        log.info('a message\'s key has not come', { ...where, detail: decrypted.detail });
        return { kind: 'noKey' };
      case 'refused':
        log.warn('encrypted event refused', { ...where, detail: decrypted.detail });
        return { kind: 'nothing' };
      default:
        return decrypted satisfies never;
    }
  }

  /** Post: nothing is read again by itself. */
  close(): void {
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  #mayStillCome(event: EncryptedEvent): boolean {
    const nowMs = this.#options.clock.nowMs();
    const untilMs = this.#waits.get(event.eventId) ?? nowMs + this.#options.keyWaitMs;
    if (nowMs >= untilMs) return false;
    this.#waits.set(event.eventId, untilMs);
    this.#readAgain(event.room, untilMs - nowMs);
    return true;
  }

  /** One timer per room is enough: what is not due then sets the next one. */
  #readAgain(room: RoomId, delayMs: number): void {
    if (this.#timers.has(room)) return;
    const cancel = this.#options.clock.after(delayMs, () => {
      this.#timers.delete(room);
      this.#options.again(room);
    });
    this.#timers.set(room, cancel);
  }
}
