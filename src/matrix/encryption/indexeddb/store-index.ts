// Owns indexes: another order of a store's records, to be read only.
import type { KeyPath } from './key-path.ts';
import type { IDBObjectStore } from './object-store.ts';
import type { IndexRow, RowsOf } from './schema.ts';
import { Source } from './source.ts';
import { parsePath } from './stored-path.ts';
import type { IDBTransaction } from './transaction.ts';

export class IDBIndex extends Source {
  readonly objectStore: IDBObjectStore;
  readonly id: number;
  readonly name: string;
  readonly keyPath: KeyPath | null;
  readonly unique: boolean;
  readonly multiEntry: boolean;
  readonly rowsOf: RowsOf;

  constructor(objectStore: IDBObjectStore, row: IndexRow) {
    super();
    this.objectStore = objectStore;
    this.id = row.id;
    this.name = row.name;
    this.keyPath = parsePath(row.key_path);
    this.unique = row.is_unique === 1;
    this.multiEntry = row.is_multi === 1;
    this.rowsOf = { ...objectStore.rowsOf, index: row.id };
  }

  get transaction(): IDBTransaction {
    return this.objectStore.transaction;
  }
}
