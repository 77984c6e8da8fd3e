// Owns what an object store and an index have in common: reading by key or range.
import { deserialize } from 'node:v8';
import { IDBCursor, IDBCursorWithValue } from './cursor.ts';
import { rangeOf, rangeOrAll } from './key-range.ts';
import { decodeKey } from './keys.ts';
import type { IDBRequest } from './requests.ts';
import type { FoundRow, RowsOf } from './schema.ts';
import type { IDBTransaction } from './transaction.ts';

export abstract class Source {
  abstract readonly transaction: IDBTransaction;
  abstract readonly rowsOf: RowsOf;

  get(query: unknown): IDBRequest {
    const range = rangeOf(query);
    return this.ask(() => this.#rows(range, 1).map(valueOf)[0]);
  }

  getKey(query: unknown): IDBRequest {
    const range = rangeOf(query);
    return this.ask(() => this.#rows(range, 1).map(({ record }) => decodeKey(record))[0]);
  }

  getAll(query?: unknown, limit = 0): IDBRequest {
    const range = rangeOrAll(query);
    return this.ask(() => this.#rows(range, limit).map(valueOf));
  }

  getAllKeys(query?: unknown, limit = 0): IDBRequest {
    const range = rangeOrAll(query);
    return this.ask(() => this.#rows(range, limit).map(({ record }) => decodeKey(record)));
  }

  count(query?: unknown): IDBRequest {
    const range = rangeOrAll(query);
    return this.ask(() => this.transaction.engine.statements.count(this.rowsOf, range));
  }

  openCursor(query?: unknown, direction = 'next'): IDBRequest {
    return new IDBCursorWithValue(this, rangeOrAll(query), direction).open();
  }

  openKeyCursor(query?: unknown, direction = 'next'): IDBRequest {
    return new IDBCursor(this, rangeOrAll(query), direction).open();
  }

  /** Queues work in the transaction. */
  ask(work: () => unknown): IDBRequest {
    return this.transaction.ask(this, work);
  }

  #rows(range: ReturnType<typeof rangeOf>, limit: number): readonly FoundRow[] {
    // To SQLite a negative limit is none.
    return this.transaction.engine.statements.all(this.rowsOf, range, limit === 0 ? -1 : limit);
  }
}

function valueOf({ value }: FoundRow): unknown {
  return deserialize(value);
}
