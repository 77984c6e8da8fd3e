// Owns indexedDB itself: opening databases, upgrading and deleting them.
import { IDBDatabase } from './database.ts';
import type { Engine } from './engine.ts';
import { fault } from './fault.ts';
import { encodeKey } from './keys.ts';
import { IDBOpenDBRequest } from './requests.ts';
import { IDBTransaction } from './transaction.ts';

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class IDBFactory {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  cmp(a: unknown, b: unknown): number {
    return Buffer.compare(encodeKey(a), encodeKey(b));
  }

  databases(): Promise<readonly { readonly name: string; readonly version: number }[]> {
    return Promise.resolve(this.#engine.statements.bases.all());
  }

  open(name: string, version?: number): IDBOpenDBRequest {
    if (version !== undefined && !(version >= 1)) throw new TypeError('a version is at least 1');
    const request = new IDBOpenDBRequest();
    setImmediate(() => void this.#open(request, name, version));
    return request;
  }

  deleteDatabase(name: string): IDBOpenDBRequest {
    const request = new IDBOpenDBRequest();
    setImmediate(() => void this.#delete(request, name));
    return request;
  }

  async #open(request: IDBOpenDBRequest, name: string, wanted: number | undefined): Promise<void> {
    const version = this.#versionOf(name);
    const next = wanted ?? Math.max(1, version);
    if (next < version) {
      refuse(request, fault('VersionError', `the stored version is ${version}`));
      return;
    }
    if (next > version) await this.#waitForOthers(request, name, { oldVersion: version, newVersion: next });
    const db = new IDBDatabase(this.#engine, name, next);
    if (next > version) this.#upgrade(request, db, version);
    else {
      request.settle({ result: db });
      request.tell('success');
    }
  }

  #upgrade(request: IDBOpenDBRequest, db: IDBDatabase, oldVersion: number): void {
    const transaction = new IDBTransaction({
      engine: this.#engine,
      db,
      names: [],
      mode: 'versionchange',
      begun: () => {
        this.#engine.statements.setVersion.run(db.name, db.version);
        request.settle({ result: db });
        request.transaction = transaction;
        request.tell('upgradeneeded', { versions: { oldVersion, newVersion: db.version } });
      },
      ended: (error) => {
        db.upgrade = undefined;
        request.transaction = null;
        if (error === undefined) request.tell('success');
        else {
          db.close();
          refuse(request, error);
        }
      },
    });
    db.upgrade = transaction;
    this.#engine.schedule(transaction);
  }

  async #delete(request: IDBOpenDBRequest, name: string): Promise<void> {
    const oldVersion = this.#versionOf(name);
    await this.#waitForOthers(request, name, { oldVersion, newVersion: null });
    this.#engine.statements.dropBase.run(name);
    request.settle({});
    request.tell('success', { versions: { oldVersion, newVersion: null } });
  }

  /** Asks other connections to close, and waits until they have. */
  async #waitForOthers(request: IDBOpenDBRequest, name: string, versions: { readonly oldVersion: number; readonly newVersion: number | null }): Promise<void> {
    for (const db of this.#engine.connectionsTo(name)) db.tell('versionchange', { versions });
    if (this.#engine.connectionsTo(name).length > 0) request.tell('blocked', { versions });
    while (this.#engine.isInUse(name)) await tick();
  }

  #versionOf(name: string): number {
    return this.#engine.statements.version.get(name) ?? 0;
  }
}

function refuse(request: IDBOpenDBRequest, error: DOMException): void {
  request.settle({ error });
  request.tell('error');
}
