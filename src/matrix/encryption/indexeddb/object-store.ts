// Owns object stores: writing records, and keeping their indexes in step.
import { deserialize, serialize } from 'node:v8';
import { fault } from './fault.ts';
import { entriesOf, keyAt, putKeyAt, type KeyPath } from './key-path.ts';
import { IDBKeyRange, rangeOf } from './key-range.ts';
import { encodeKey } from './keys.ts';
import { nameList, type NameList } from './name-list.ts';
import type { IDBRequest } from './requests.ts';
import { existing, type IndexRow, type RowsOf, type StoreRow } from './schema.ts';
import { Source } from './source.ts';
import { parsePath } from './stored-path.ts';
import { IDBIndex } from './store-index.ts';
import type { IDBTransaction } from './transaction.ts';

export class IDBObjectStore extends Source {
  readonly name: string;
  readonly keyPath: KeyPath | null;
  readonly autoIncrement: boolean;
  readonly rowsOf: RowsOf;
  readonly transaction: IDBTransaction;

  constructor(transaction: IDBTransaction, row: StoreRow) {
    super();
    this.transaction = transaction;
    this.rowsOf = { store: row.id };
    this.name = row.name;
    this.keyPath = parsePath(row.key_path);
    this.autoIncrement = row.next_key !== null;
  }

  get indexNames(): NameList {
    return nameList(this.#indexes().map(({ name }) => name));
  }

  put(value: unknown, key?: unknown): IDBRequest {
    return this.#write(value, key, true);
  }

  add(value: unknown, key?: unknown): IDBRequest {
    return this.#write(value, key, false);
  }

  delete(query: unknown): IDBRequest {
    this.#mustWrite();
    return this.#erase(rangeOf(query));
  }

  clear(): IDBRequest {
    this.#mustWrite();
    return this.#erase(new IDBKeyRange(undefined, undefined));
  }

  index(name: string): IDBIndex {
    return new IDBIndex(this, existing(this.#indexes().find((each) => each.name === name), `index ${name}`));
  }

  createIndex(name: string, keyPath: unknown, options: { readonly unique?: boolean; readonly multiEntry?: boolean } = {}): IDBIndex {
    this.#mustUpgrade();
    if (this.indexNames.contains(name)) throw fault('ConstraintError', `there is an index ${name} already`);
    const path = Array.isArray(keyPath) ? keyPath.map(String) : String(keyPath);
    const { statements } = this.transaction.engine;
    statements.addIndex.run(this.rowsOf.store, name, JSON.stringify(path), options.unique === true ? 1 : 0, options.multiEntry === true ? 1 : 0);
    const index = this.index(name);
    for (const { record, value } of statements.all(this.rowsOf, new IDBKeyRange(undefined, undefined), -1)) {
      for (const entry of entriesOf(deserialize(value), path, index.multiEntry)) statements.enter.run(index.id, entry, record);
    }
    return index;
  }

  deleteIndex(name: string): void {
    this.#mustUpgrade();
    this.transaction.engine.statements.dropIndex.run(this.rowsOf.store, name);
  }

  #write(value: unknown, given: unknown, replaces: boolean): IDBRequest {
    this.#mustWrite();
    const copy: unknown = structuredClone(value);
    const key = this.keyPath === null ? given : keyAt(copy, this.keyPath);
    if (key === undefined && !this.autoIncrement) throw fault('DataError', 'the record has no key');
    if (key !== undefined) encodeKey(key);
    return this.ask(() => {
      const used = key ?? this.#generateKey(copy);
      if (key !== undefined) this.#rememberKey(key);
      this.#store(encodeKey(used), copy, replaces);
      return used;
    });
  }

  #store(record: Buffer, value: unknown, replaces: boolean): void {
    const { statements } = this.transaction.engine;
    const entries = this.#indexes().map((index) => ({ index, keys: entriesOf(value, parsePath(index.key_path) ?? '', index.is_multi === 1) }));
    for (const { index, keys } of entries) {
      if (index.is_unique === 1 && keys.some((entry) => statements.taken.get(index.id, entry, record) !== undefined)) throw fault('ConstraintError', `index ${index.name} holds that key already`);
    }
    const written = (replaces ? statements.putRecord : statements.addRecord).run(this.rowsOf.store, record, serialize(value));
    if (written.changes === 0) throw fault('ConstraintError', 'there is a record of that key already');
    for (const { index, keys } of entries) {
      statements.leave.run(index.id, record);
      for (const entry of keys) statements.enter.run(index.id, entry, record);
    }
  }

  #generateKey(value: unknown): number {
    const key = existing(this.transaction.engine.statements.takeKey.get(this.rowsOf.store), 'key generator');
    if (this.keyPath !== null) putKeyAt(value, this.keyPath, key);
    return key;
  }

  /** Generated keys come after every number that was ever used as a key. */
  #rememberKey(key: unknown): void {
    if (!this.autoIncrement || typeof key !== 'number' || key < 1) return;
    const next = Math.floor(Math.min(key, Number.MAX_SAFE_INTEGER - 1)) + 1;
    this.transaction.engine.statements.skipKeys.run(next, this.rowsOf.store, next);
  }

  #erase(range: IDBKeyRange): IDBRequest {
    return this.ask(() => this.transaction.engine.statements.erase(this.rowsOf.store, this.#indexes(), range));
  }

  #indexes(): readonly IndexRow[] {
    return this.transaction.engine.statements.indexes.all(this.rowsOf.store);
  }

  #mustWrite(): void {
    if (!this.transaction.writes) throw fault('ReadOnlyError', 'the transaction only reads');
  }

  #mustUpgrade(): void {
    if (this.transaction.mode !== 'versionchange') throw fault('InvalidStateError', 'indexes change during an upgrade only');
  }
}
