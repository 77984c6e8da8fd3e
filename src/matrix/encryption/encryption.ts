// Owns encryption as the rest of the Matrix side knows it, and the thread that does the work: its start, its failures, its end.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { isRoomId, type RoomId, type UserId } from '../../call/ids.ts';
import type { Clock } from '../../control/ports/clock.ts';
import type { Logger, Secret } from '../../log/logger.ts';
import { asError } from '../../util/background.ts';
import { HomeserverError } from '../homeserver-error.ts';
import type { Decryption, Order, PlainMessage, Report, RoomRules } from './orders.ts';

export type { Decryption, RoomRules };

export interface EncryptionListener {
  /** Keys of these rooms have come: what could not be read may be readable now. */
  roomKeys(rooms: readonly RoomId[]): void;
}

export interface Message {
  readonly room: RoomId;
  readonly type: string;
  readonly content: Readonly<Record<string, unknown>>;
  /** Who may read it. */
  readonly audience: readonly UserId[];
  readonly rules: RoomRules;
}

/** The bot's own device. Every method rejects with a transient HomeserverError, nothing else. */
export interface Encryption {
  /** Makes device and identity known to the homeserver, as often as it takes, and receives keys from now on. The bot must be registered. */
  start(listener: EncryptionListener): Promise<void>;
  /** The content of an `m.room.encrypted` event. Each call uses up a place in the room's session: send it or lose it. */
  encrypt(message: Message): Promise<Readonly<Record<string, unknown>>>;
  /** @param event as the homeserver told it */
  decrypt(event: Readonly<Record<string, unknown>>): Promise<Decryption>;
  /** Somebody is in a room with us again: their devices may have changed while nobody told us. */
  changed(users: readonly UserId[]): Promise<void>;
}

export interface OpenEncryption extends Encryption {
  /** Post: the thread has ended, the file is closed. Idempotent. */
  close(): Promise<void>;
}

export interface EncryptionOptions {
  /** Client-server API of our homeserver, without a trailing path. */
  readonly url: string;
  readonly asToken: Secret<string>;
  readonly user: UserId;
  /** Where crypto.sqlite and crypto-identity.json are. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
}

const againMs = { first: 1_000, longest: 30_000 };
const storeName = 'crypto.sqlite';
const decryption = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('clear'), type: z.string(), content: z.record(z.string(), z.unknown()) }),
  z.object({ kind: z.literal(['noKey', 'withheld', 'refused']), detail: z.string() }),
]);
const content = z.record(z.string(), z.unknown());

/** Opens or makes the store; nothing is asked of the homeserver yet. @throws Error in words when it cannot be opened */
export async function openEncryption(options: EncryptionOptions): Promise<OpenEncryption> {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  const thread = new CryptoThread(options);
  await thread.open();
  return thread;
}

class CryptoThread implements OpenEncryption {
  readonly #options: EncryptionOptions;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #worker: Worker | undefined;
  #listener: EncryptionListener | undefined;
  #lastId = 0;
  #failures = 0;
  #replacing = false;
  #closing: Promise<void> | undefined;
  #cancelAgain: () => void = () => undefined;

  constructor(options: EncryptionOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    const { url, asToken, user, folder, log } = this.#options;
    const workerData = { url, asToken: asToken.reveal(), user, file: this.#storeFile(), identityFile: join(folder, 'crypto-identity.json') };
    const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData, name: 'viaduc crypto' });
    const opened = Promise.withResolvers<string>();
    worker.on('message', (report: Report) => {
      if (report.what === 'opened') opened.resolve(report.device);
      else if (report.what === 'notOpened') opened.reject(new Error(inWords(report.detail, this.#storeFile())));
      else if (worker === this.#worker) this.#hear(report);
    });
    worker.on('error', (error) => {
      opened.reject(asError(error));
      if (worker === this.#worker) this.#replace('the crypto thread has failed', asError(error).message);
    });
    worker.on('exit', () => {
      opened.reject(new Error('the crypto thread has ended'));
      if (worker === this.#worker) this.#replace('the crypto thread has ended', '');
    });
    try {
      const device = await opened.promise;
      this.#worker = worker;
      log.info('encryption opened', { user, device });
    } catch (error) {
      await worker.terminate();
      throw error;
    }
  }

  async start(listener: EncryptionListener): Promise<void> {
    this.#listener = listener;
    await this.#order({ what: 'start' });
  }

  async encrypt(message: Message): Promise<Readonly<Record<string, unknown>>> {
    return content.parse(await this.#order({ what: 'encrypt', message: message satisfies PlainMessage }));
  }

  async decrypt(event: Readonly<Record<string, unknown>>): Promise<Decryption> {
    return decryption.parse(await this.#order({ what: 'decrypt', event }));
  }

  async changed(users: readonly UserId[]): Promise<void> {
    if (users.length > 0) await this.#order({ what: 'changed', users });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#cancelAgain();
    if (this.#worker === undefined) return;
    await this.#order({ what: 'stop' }).catch((error: unknown) => {
      this.#options.log.warn('the crypto store could not be closed in order', { detail: asError(error).message });
    });
    await this.#endThread();
    this.#giveUpWaiting('the bridge stops');
  }

  async #endThread(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #order(order: Order): Promise<unknown> {
    if (this.#worker === undefined) return Promise.reject(new HomeserverError('encryption starts again: try again', {}));
    const answer = Promise.withResolvers<unknown>();
    this.#lastId += 1;
    this.#waiting.set(this.#lastId, answer);
    this.#worker.postMessage({ ...order, id: this.#lastId });
    return answer.promise;
  }

  #hear(report: Report): void {
    const { log } = this.#options;
    switch (report.what) {
      case 'done':
        this.#failures = 0;
        this.#answerTo(report.id)?.resolve(report.answer);
        break;
      case 'failed':
        this.#answerTo(report.id)?.reject(new HomeserverError(report.failure.message, { retryAfterMs: report.failure.retryAfterMs }));
        break;
      case 'roomKeys':
        this.#listener?.roomKeys(report.rooms.filter(isRoomId));
        break;
      case 'deviceLost':
        this.#replace('the homeserver does not know the bot\'s device any more: a new one is made', '', true);
        break;
      case 'broken':
        this.#replace('the crypto machine has failed', report.detail);
        break;
      case 'log':
        log[report.level](report.message, report.details);
        break;
      case 'opened':
      case 'notOpened':
        break;
      default:
        report satisfies never;
    }
  }

  /** Ends the thread and opens another one, without the old keys if they are of no use. */
  #replace(why: string, detail: string, afresh = false): void {
    if (this.#closing !== undefined) this.#giveUpWaiting(why);
    if (this.#closing !== undefined || this.#replacing) return;
    const { clock, log } = this.#options;
    const delayMs = Math.min(againMs.longest, againMs.first * 2 ** this.#failures);
    this.#failures += 1;
    this.#replacing = true;
    log[afresh ? 'warn' : 'error'](why, { detail, retryInMs: delayMs });
    const worker = this.#worker;
    this.#worker = undefined;
    this.#giveUpWaiting(why);
    this.#cancelAgain = clock.after(delayMs, () => void this.#reopen(worker, afresh));
  }

  async #reopen(before: Worker | undefined, afresh: boolean): Promise<void> {
    try {
      await before?.terminate();
      if (afresh) for (const end of ['', '-wal', '-shm']) rmSync(this.#storeFile() + end, { force: true });
      this.#replacing = false;
      if (this.#isClosing()) return;
      await this.open();
      if (this.#isClosing()) await this.#endThread();
      else if (this.#listener !== undefined) await this.start(this.#listener);
    } catch (error) {
      this.#replace('encryption could not be opened again', asError(error).message);
    }
  }

  #isClosing(): boolean {
    return this.#closing !== undefined;
  }

  #answerTo(id: number): PromiseWithResolvers<unknown> | undefined {
    const answer = this.#waiting.get(id);
    this.#waiting.delete(id);
    return answer;
  }

  #giveUpWaiting(why: string): void {
    for (const answer of this.#waiting.values()) answer.reject(new HomeserverError(why, {}));
    this.#waiting.clear();
  }

  #storeFile(): string {
    return join(this.#options.folder, storeName);
  }
}

function inWords(detail: string, file: string): string {
  if (/locked|busy/i.test(detail)) return `the crypto store ${file} is in use: does another bridge run with this data folder?`;
  return `the crypto store ${file} cannot be opened (${detail}). If it cannot be repaired, move it away while the bridge is stopped: the bot then makes a new device under its old identity. Never put back an old copy.`;
}
