// Owns the SQLite file of a process's IndexedDB, and the order in which transactions may run upon it.
import type { Database } from 'better-sqlite3';
import type { IDBDatabase } from './database.ts';
import { openTables, prepareStatements, type Statements } from './schema.ts';
import type { IDBTransaction } from './transaction.ts';

export class Engine {
  readonly statements: Statements;
  readonly sql: Database;
  /** Open connections. */
  readonly connections = new Set<IDBDatabase>();
  /** Not finished, in the order of their making. */
  readonly #live = new Set<IDBTransaction>();

  constructor(path: string) {
    this.sql = openTables(path);
    this.statements = prepareStatements(this.sql);
  }

  storeNames(base: string): readonly string[] {
    return this.statements.stores.all(base).map(({ name }) => name);
  }

  schedule(transaction: IDBTransaction): IDBTransaction {
    this.#live.add(transaction);
    setImmediate(() => this.#startWhatMay());
    return transaction;
  }

  finished(transaction: IDBTransaction): void {
    this.#live.delete(transaction);
    setImmediate(() => this.#startWhatMay());
  }

  /** A connection or a transaction of that database is still there. */
  isInUse(base: string): boolean {
    return this.connectionsTo(base).length > 0 || [...this.#live].some(({ db }) => db.name === base);
  }

  connectionsTo(base: string): readonly IDBDatabase[] {
    return [...this.connections].filter(({ name }) => name === base);
  }

  begin(): void {
    this.sql.exec('BEGIN IMMEDIATE');
  }

  /** Post: what was written is on the disk. */
  commit(): void {
    this.sql.exec('COMMIT');
  }

  rollback(): void {
    // SQLite has rolled back by itself after some errors, a full disk among them.
    if (this.sql.inTransaction) this.sql.exec('ROLLBACK');
  }

  close(): void {
    this.sql.close();
  }

  #startWhatMay(): void {
    const before: IDBTransaction[] = [];
    for (const transaction of this.#live) {
      if (transaction.isWaiting && !before.some((other) => clash(transaction, other))) void transaction.run();
      before.push(transaction);
    }
  }
}

/** One writer at a time: SQLite has one connection here. Readers see no half of a transaction: they keep out of writers' stores. */
function clash(a: IDBTransaction, b: IDBTransaction): boolean {
  if (!a.writes && !b.writes) return false;
  if (a.writes && b.writes) return true;
  const isUpgrade = a.mode === 'versionchange' || b.mode === 'versionchange';
  return a.db.name === b.db.name && (isUpgrade || a.scope.some((name) => b.scope.includes(name)));
}
