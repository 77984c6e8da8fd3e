// Owns a connection to one IndexedDB database.
import type { Engine } from './engine.ts';
import { IdbTarget } from './events.ts';
import { fault } from './fault.ts';
import { nameList, type NameList } from './name-list.ts';
import type { IDBObjectStore } from './object-store.ts';
import type { Handler } from './requests.ts';
import { IDBTransaction, type Mode } from './transaction.ts';

export class IDBDatabase extends IdbTarget {
  onversionchange: Handler = null;
  onclose: Handler = null;
  onabort: Handler = null;
  onerror: Handler = null;
  readonly name: string;
  readonly version: number;
  readonly #engine: Engine;
  #upgrade: IDBTransaction | undefined;

  constructor(engine: Engine, name: string, version: number) {
    super();
    this.#engine = engine;
    this.name = name;
    this.version = version;
    engine.connections.add(this);
  }

  get objectStoreNames(): NameList {
    return nameList(this.#engine.storeNames(this.name));
  }

  transaction(names: string | readonly string[], mode: Mode = 'readonly'): IDBTransaction {
    if (!this.#engine.connections.has(this)) throw fault('InvalidStateError', 'the database is closed');
    if (mode === 'versionchange') throw new TypeError('an upgrade begins by itself');
    const scope = typeof names === 'string' ? [names] : [...names];
    if (scope.length === 0) throw fault('InvalidAccessError', 'a transaction needs object stores');
    const known = this.objectStoreNames;
    for (const name of scope) if (!known.contains(name)) throw fault('NotFoundError', `there is no object store ${name}`);
    return this.#engine.schedule(new IDBTransaction({ engine: this.#engine, db: this, names: scope, mode }));
  }

  createObjectStore(name: string, options: { readonly keyPath?: string | readonly string[] | null; readonly autoIncrement?: boolean } = {}): IDBObjectStore {
    const upgrade = this.#upgrading();
    if (this.objectStoreNames.contains(name)) throw fault('ConstraintError', `there is an object store ${name} already`);
    this.#engine.statements.addStore.run(this.name, name, JSON.stringify(options.keyPath ?? null), options.autoIncrement === true ? 1 : null);
    return upgrade.objectStore(name);
  }

  deleteObjectStore(name: string): void {
    this.#upgrading();
    if (this.#engine.statements.dropStore.run(this.name, name).changes === 0) throw fault('NotFoundError', `there is no object store ${name}`);
  }

  close(): void {
    this.#engine.connections.delete(this);
  }

  /** While it is set, object stores may be made and removed. */
  set upgrade(transaction: IDBTransaction | undefined) {
    this.#upgrade = transaction;
  }

  #upgrading(): IDBTransaction {
    if (this.#upgrade === undefined) throw fault('InvalidStateError', 'object stores change during an upgrade only');
    return this.#upgrade;
  }
}
