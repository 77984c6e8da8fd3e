// Owns the tables that hold IndexedDB databases in one SQLite file, and every statement upon them.
import Sqlite from 'better-sqlite3';
import { fault } from './fault.ts';
import type { IDBKeyRange } from './key-range.ts';

const tables = `
  CREATE TABLE IF NOT EXISTS bases (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS stores (
    id INTEGER PRIMARY KEY,
    base TEXT NOT NULL REFERENCES bases ON DELETE CASCADE,
    name TEXT NOT NULL,
    key_path TEXT NOT NULL,
    next_key INTEGER,
    UNIQUE (base, name)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS indexes (
    id INTEGER PRIMARY KEY,
    store INTEGER NOT NULL REFERENCES stores ON DELETE CASCADE,
    name TEXT NOT NULL,
    key_path TEXT NOT NULL,
    is_unique INTEGER NOT NULL,
    is_multi INTEGER NOT NULL,
    UNIQUE (store, name)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS records (
    store INTEGER NOT NULL REFERENCES stores ON DELETE CASCADE,
    key BLOB NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (store, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS entries (
    indexed INTEGER NOT NULL REFERENCES indexes ON DELETE CASCADE,
    key BLOB NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (indexed, key, record)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS entries_by_record ON entries (indexed, record);`;

export interface StoreRow {
  readonly id: number;
  readonly name: string;
  /** JSON: null, a path, or a list of paths. */
  readonly key_path: string;
  readonly next_key: number | null;
}

export interface IndexRow {
  readonly id: number;
  readonly name: string;
  readonly key_path: string;
  readonly is_unique: number;
  readonly is_multi: number;
}

/** A record as a store or an index shows it: there `key` is the index's. */
export interface FoundRow {
  readonly key: Buffer;
  readonly record: Buffer;
  readonly value: Buffer;
}

/** Whose rows are read: a store's own, or those that an index of it points to. */
export interface RowsOf {
  readonly store: number;
  readonly index?: number;
}

export type Direction = 'next' | 'prev';
interface Bounds {
  readonly owner: number;
  readonly store: number;
  readonly from: Buffer;
  readonly to: Buffer;
}

export type Statements = ReturnType<typeof prepareStatements>;

/** Safe against a crash at any moment (WAL, synchronous=FULL) and against a second process (exclusive lock). @throws when another has it open */
export function openTables(path: string): Sqlite.Database {
  const sql = new Sqlite(path, { timeout: 2000 });
  try {
    sql.pragma('locking_mode = EXCLUSIVE');
    sql.pragma('journal_mode = WAL');
    sql.pragma('synchronous = FULL');
    sql.pragma('foreign_keys = ON');
    sql.pragma('secure_delete = ON');
    sql.exec(tables);
    // In WAL mode the lock comes with the first write.
    sql.exec('BEGIN IMMEDIATE; COMMIT');
  } catch (error) {
    sql.close();
    throw error;
  }
  return sql;
}

export function prepareStatements(sql: Sqlite.Database) {
  const found = new Map<string, Sqlite.Statement<[object], FoundRow>>();
  const counts = new Map<string, Sqlite.Statement<[object], { readonly n: number }>>();
  const kept = <T>(cache: Map<string, T>, text: string, prepare: () => T): T => {
    const known = cache.get(text);
    if (known !== undefined) return known;
    const fresh = prepare();
    cache.set(text, fresh);
    return fresh;
  };
  return {
    bases: sql.prepare<[], { readonly name: string; readonly version: number }>('SELECT name, version FROM bases'),
    version: sql.prepare<[string], number>('SELECT version FROM bases WHERE name = ?').pluck(),
    setVersion: sql.prepare<[string, number]>('INSERT INTO bases VALUES (?, ?) ON CONFLICT DO UPDATE SET version = excluded.version'),
    dropBase: sql.prepare<[string]>('DELETE FROM bases WHERE name = ?'),
    stores: sql.prepare<[string], StoreRow>('SELECT * FROM stores WHERE base = ? ORDER BY name'),
    store: sql.prepare<[string, string], StoreRow>('SELECT * FROM stores WHERE base = ? AND name = ?'),
    addStore: sql.prepare<[string, string, string, number | null]>('INSERT INTO stores (base, name, key_path, next_key) VALUES (?, ?, ?, ?)'),
    dropStore: sql.prepare<[string, string]>('DELETE FROM stores WHERE base = ? AND name = ?'),
    takeKey: sql.prepare<[number], number>('UPDATE stores SET next_key = next_key + 1 WHERE id = ? RETURNING next_key - 1').pluck(),
    skipKeys: sql.prepare<[number, number, number]>('UPDATE stores SET next_key = ? WHERE id = ? AND next_key < ?'),
    indexes: sql.prepare<[number], IndexRow>('SELECT id, name, key_path, is_unique, is_multi FROM indexes WHERE store = ? ORDER BY name'),
    addIndex: sql.prepare<[number, string, string, number, number]>('INSERT INTO indexes (store, name, key_path, is_unique, is_multi) VALUES (?, ?, ?, ?, ?)'),
    dropIndex: sql.prepare<[number, string]>('DELETE FROM indexes WHERE store = ? AND name = ?'),
    addRecord: sql.prepare<[number, Buffer, Buffer]>('INSERT INTO records VALUES (?, ?, ?) ON CONFLICT DO NOTHING'),
    putRecord: sql.prepare<[number, Buffer, Buffer]>('INSERT INTO records VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value'),
    enter: sql.prepare<[number, Buffer, Buffer]>('INSERT INTO entries VALUES (?, ?, ?) ON CONFLICT DO NOTHING'),
    taken: sql.prepare<[number, Buffer, Buffer], number>('SELECT 1 FROM entries WHERE indexed = ? AND key = ? AND record <> ?').pluck(),
    leave: sql.prepare<[number, Buffer]>('DELETE FROM entries WHERE indexed = ? AND record = ?'),

    all: (of: RowsOf, range: IDBKeyRange, limit: number): readonly FoundRow[] => {
      const text = `SELECT ${columns(of)} FROM ${source(of)} WHERE ${within(of, range)} ORDER BY ${order(of, 'next')} LIMIT @limit`;
      return kept(found, text, () => sql.prepare(text)).all({ ...bounds(of, range), limit });
    },
    count: (of: RowsOf, range: IDBKeyRange): number => {
      const text = `SELECT count(*) AS n FROM ${of.index === undefined ? 'records r' : 'entries e'} WHERE ${within(of, range)}`;
      return kept(counts, text, () => sql.prepare(text)).get(bounds(of, range))?.n ?? 0;
    },
    /** The row after `at` in that direction, or the first one. */
    step: (of: RowsOf, range: IDBKeyRange, direction: Direction, at: FoundRow | undefined): FoundRow | undefined => {
      const place = of.index === undefined ? '(r.key, r.key)' : '(e.key, e.record)';
      const beyond = at === undefined ? '' : ` AND ${place} ${direction === 'next' ? '>' : '<'} (@key, @record)`;
      const text = `SELECT ${columns(of)} FROM ${source(of)} WHERE ${within(of, range)}${beyond} ORDER BY ${order(of, direction)} LIMIT 1`;
      return kept(found, text, () => sql.prepare(text)).get({ ...bounds(of, range), key: at?.key, record: at?.record });
    },
    /** Removes the records of the range, and what indexes say of them. */
    erase: (store: number, indexes: readonly IndexRow[], range: IDBKeyRange): void => {
      const bound = bounds({ store }, range);
      const from = `${range.lowerOpen ? '>' : '>='} @from`;
      const to = `${range.upperOpen ? '<' : '<='} @to`;
      for (const { id } of indexes) sql.prepare(`DELETE FROM entries WHERE indexed = @owner AND record ${from} AND record ${to}`).run({ ...bound, owner: id });
      sql.prepare(`DELETE FROM records WHERE store = @owner AND key ${from} AND key ${to}`).run(bound);
    },
  };
}

function bounds({ store, index }: RowsOf, { from, to }: IDBKeyRange): Bounds {
  return { owner: index ?? store, store, from, to };
}

function columns({ index }: RowsOf): string {
  return index === undefined ? 'r.key, r.key AS record, r.value' : 'e.key, e.record, r.value';
}

function source({ index }: RowsOf): string {
  return index === undefined ? 'records r' : 'entries e JOIN records r ON r.store = @store AND r.key = e.record';
}

function within({ index }: RowsOf, { lowerOpen, upperOpen }: IDBKeyRange): string {
  const [owner, key] = index === undefined ? ['r.store', 'r.key'] : ['e.indexed', 'e.key'];
  return `${owner} = @owner AND ${key} ${lowerOpen ? '>' : '>='} @from AND ${key} ${upperOpen ? '<' : '<='} @to`;
}

function order({ index }: RowsOf, direction: Direction): string {
  const way = direction === 'next' ? '' : ' DESC';
  return index === undefined ? `r.key${way}` : `e.key${way}, e.record${way}`;
}

/** @throws NotFoundError */
export function existing<T>(found: T | undefined, what: string): T {
  if (found === undefined) throw fault('NotFoundError', `there is no ${what}`);
  return found;
}
