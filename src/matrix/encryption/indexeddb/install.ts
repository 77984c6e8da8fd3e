// Owns the part of IndexedDB that the crypto machine uses, on one SQLite file, as globals of this thread.
import type { Database } from 'better-sqlite3';
import { IDBCursor, IDBCursorWithValue } from './cursor.ts';
import { IDBDatabase } from './database.ts';
import { Engine } from './engine.ts';
import { IDBVersionChangeEvent } from './events.ts';
import { IDBFactory } from './factory.ts';
import { IDBKeyRange } from './key-range.ts';
import { IDBObjectStore } from './object-store.ts';
import { IDBOpenDBRequest, IDBRequest } from './requests.ts';
import { IDBIndex } from './store-index.ts';
import { IDBTransaction } from './transaction.ts';

export interface StoredIndexedDB {
  readonly factory: IDBFactory;
  readonly sql: Database;
  close(): void;
}

/**
 * Opens or creates the file. A transaction's "complete" comes after SQLite has committed and synced it, so that what a
 * program believes stored survives a crash. Left out: cursors without duplicates. @throws when another process has the file open
 */
export function openIndexedDB(path: string): StoredIndexedDB {
  const engine = new Engine(path);
  return { factory: new IDBFactory(engine), sql: engine.sql, close: () => engine.close() };
}

/** As above, and known by the usual names in this thread. @throws when another process has the file open */
export function installIndexedDB(path: string): StoredIndexedDB {
  const opened = openIndexedDB(path);
  const names = { IDBFactory, IDBDatabase, IDBTransaction, IDBObjectStore, IDBIndex, IDBCursor, IDBCursorWithValue, IDBKeyRange, IDBRequest, IDBOpenDBRequest, IDBVersionChangeEvent };
  Object.assign(globalThis, { indexedDB: opened.factory, ...names });
  return opened;
}
