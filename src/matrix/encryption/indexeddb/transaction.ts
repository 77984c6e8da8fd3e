// Owns transactions: requests in order, all or nothing, and "complete" only after SQLite has committed and synced the file.
import type { Engine } from './engine.ts';
import { IdbTarget } from './events.ts';
import { asFault, fault } from './fault.ts';
import { nameList, type NameList } from './name-list.ts';
import { IDBObjectStore } from './object-store.ts';
import { IDBRequest, type Handler } from './requests.ts';
import { existing } from './schema.ts';

export type Mode = 'readonly' | 'readwrite' | 'versionchange';

/** What a transaction needs to know of the connection that made it. */
export interface Connection extends IdbTarget {
  readonly name: string;
}

export interface TransactionOptions {
  readonly engine: Engine;
  readonly db: Connection;
  readonly names: readonly string[];
  readonly mode: Mode;
  /** Called when it begins, before the first request. */
  readonly begun?: () => void;
  /** Called at its end; undefined: it is committed. */
  readonly ended?: (error: DOMException | undefined) => void;
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class IDBTransaction extends IdbTarget {
  oncomplete: Handler = null;
  onerror: Handler = null;
  onabort: Handler = null;
  error: DOMException | null = null;
  readonly durability = 'strict';
  readonly db: Connection;
  readonly mode: Mode;
  readonly #options: TransactionOptions;
  readonly #queue: { readonly request: IDBRequest; readonly work: () => unknown }[] = [];
  #state: 'waiting' | 'running' | 'finished' = 'waiting';
  #committing = false;
  #inSqlite = false;

  constructor(options: TransactionOptions) {
    super();
    this.#options = options;
    this.db = options.db;
    this.mode = options.mode;
  }

  get writes(): boolean {
    return this.mode !== 'readonly';
  }

  get isWaiting(): boolean {
    return this.#state === 'waiting';
  }

  get scope(): readonly string[] {
    return this.#options.names;
  }

  get objectStoreNames(): NameList {
    return nameList(this.mode === 'versionchange' ? this.engine.storeNames(this.db.name) : this.scope);
  }

  get engine(): Engine {
    return this.#options.engine;
  }

  objectStore(name: string): IDBObjectStore {
    if (this.#state === 'finished') throw fault('InvalidStateError', 'the transaction has finished');
    if (!this.objectStoreNames.contains(name)) throw fault('NotFoundError', `there is no object store ${name} in this transaction`);
    return new IDBObjectStore(this, existing(this.engine.statements.store.get(this.db.name, name), `object store ${name}`));
  }

  /** Queues work; its result or error becomes the request's answer. */
  ask(source: unknown, work: () => unknown, request = new IDBRequest()): IDBRequest {
    if (this.#state === 'finished' || this.#committing) throw fault('TransactionInactiveError', 'the transaction takes no more requests');
    request.askAgain();
    request.source = source;
    request.transaction = this;
    this.#queue.push({ request, work });
    return request;
  }

  commit(): void {
    this.#mustBeOpen();
    this.#committing = true;
  }

  abort(): void {
    this.#mustBeOpen();
    this.#abort(undefined);
  }

  /** Called by the engine when no other transaction is in the way. */
  async run(): Promise<void> {
    this.#state = 'running';
    try {
      if (this.writes) this.engine.begin();
      this.#inSqlite = this.writes;
    } catch (error) {
      this.#abort(asFault(error));
      return;
    }
    this.#options.begun?.();
    await this.#workThrough();
    if (!this.#isRunning()) return;
    try {
      if (this.#inSqlite) this.engine.commit();
    } catch (error) {
      this.#abort(asFault(error));
      return;
    }
    this.#finish();
    this.tell('complete', { above: [this.db] });
    this.#options.ended?.(undefined);
  }

  async #workThrough(): Promise<void> {
    for (let idle = false; this.#isRunning(); ) {
      const next = this.#queue.shift();
      if (next !== undefined) {
        idle = false;
        this.#answer(next.request, next.work);
        await tick();
      } else if (this.#committing || idle) return;
      else {
        // Promises that follow an event may still place requests.
        idle = true;
        await tick();
      }
    }
  }

  #answer(request: IDBRequest, work: () => unknown): void {
    try {
      request.settle({ result: work() });
    } catch (thrown) {
      const error = asFault(thrown);
      request.settle({ error });
      const event = request.tell('error', { above: [this, this.db] });
      if (!event.defaultPrevented && this.#isRunning()) this.#abort(error);
      return;
    }
    request.tell('success');
  }

  #abort(error: DOMException | undefined): void {
    this.error = error ?? null;
    if (this.#inSqlite) this.engine.rollback();
    this.#finish();
    const left = this.#queue.splice(0);
    setImmediate(() => {
      const reason = error ?? fault('AbortError', 'the transaction was aborted');
      for (const { request } of left) {
        request.settle({ error: fault('AbortError', 'the transaction was aborted') });
        request.tell('error', { above: [this, this.db] });
      }
      this.tell('abort', { above: [this.db] });
      this.#options.ended?.(reason);
    });
  }

  #finish(): void {
    this.#state = 'finished';
    this.#inSqlite = false;
    this.engine.finished(this);
  }

  #isRunning(): boolean {
    return this.#state === 'running';
  }

  #mustBeOpen(): void {
    if (this.#state === 'finished' || this.#committing) throw fault('InvalidStateError', 'the transaction has finished');
  }
}
