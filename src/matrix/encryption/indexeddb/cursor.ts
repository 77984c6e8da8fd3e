// Owns cursors: a walk over a store or an index, which sees what is written under way.
import { deserialize } from 'node:v8';
import { fault } from './fault.ts';
import type { IDBKeyRange } from './key-range.ts';
import { decodeKey, encodeKey, type Key } from './keys.ts';
import type { IDBRequest } from './requests.ts';
import type { Direction, FoundRow, RowsOf } from './schema.ts';
import type { IDBTransaction } from './transaction.ts';

/** What is walked over. */
interface Walked {
  readonly transaction: IDBTransaction;
  readonly rowsOf: RowsOf;
  /** Of an index: the store that it belongs to. */
  readonly objectStore?: Writable;
}

interface Writable {
  readonly keyPath: unknown;
  put(value: unknown, key?: unknown): IDBRequest;
  delete(query: unknown): IDBRequest;
}

export class IDBCursor {
  key: Key | undefined;
  primaryKey: Key | undefined;
  request: IDBRequest | undefined;
  readonly source: Walked;
  readonly direction: Direction;
  readonly #range: IDBKeyRange;
  #row: FoundRow | undefined;

  constructor(source: Walked, range: IDBKeyRange, direction: string) {
    if (direction !== 'next' && direction !== 'prev') throw fault('NotSupportedError', `cursors do not go ${direction}`);
    this.source = source;
    this.#range = range;
    this.direction = direction;
  }

  open(): IDBRequest {
    this.request = this.source.transaction.ask(this.source, () => this.#move());
    return this.request;
  }

  /** To the next record, or to the first one at or beyond the key. */
  continue(key?: unknown): void {
    const to = key === undefined ? undefined : encodeKey(key);
    this.source.transaction.ask(this.source, () => this.#move(to), this.request);
  }

  advance(count: number): void {
    if (!(count >= 1)) throw new TypeError('a cursor advances by at least 1');
    this.source.transaction.ask(
      this.source,
      () => {
        for (let left = count; left > 1; left -= 1) if (this.#move() === null) return null;
        return this.#move();
      },
      this.request,
    );
  }

  update(value: unknown): IDBRequest {
    const store = this.#store();
    return store.keyPath === null ? store.put(value, this.primaryKey) : store.put(value);
  }

  delete(): IDBRequest {
    return this.#store().delete(this.primaryKey);
  }

  /** The row is there: a cursor with values takes the value. */
  protected arrived(_row: FoundRow): void {
    // Only the keys are of interest.
  }

  #move(to?: Buffer): this | null {
    const { statements } = this.source.transaction.engine;
    const ahead = this.direction === 'next' ? 1 : -1;
    do this.#row = statements.step(this.source.rowsOf, this.#range, this.direction, this.#row);
    while (this.#row !== undefined && to !== undefined && ahead * Buffer.compare(this.#row.key, to) < 0);
    if (this.#row === undefined) return null;
    this.key = decodeKey(this.#row.key);
    this.primaryKey = decodeKey(this.#row.record);
    this.arrived(this.#row);
    return this;
  }

  #store(): Writable {
    const { objectStore, source } = { objectStore: this.source.objectStore, source: this.source };
    if (objectStore !== undefined) return objectStore;
    if (isWritable(source)) return source;
    throw fault('InvalidStateError', 'this cursor cannot write');
  }
}

function isWritable(source: Walked): source is Walked & Writable {
  return 'put' in source && 'delete' in source;
}

export class IDBCursorWithValue extends IDBCursor {
  value: unknown;

  protected override arrived(row: FoundRow): void {
    this.value = deserialize(row.value);
  }
}
