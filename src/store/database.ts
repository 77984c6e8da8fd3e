// Owns the SQLite file: opening, pragmas, migrations, transactions, closing.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { migrations } from './migrations.ts';

export type Database = Sqlite.Database;

export class StoreError extends Error {
  override readonly name = 'StoreError';
}

/** Opens or creates the file and brings its schema up to date. @throws StoreError in words the operator can act on */
export function openDatabase(path: string): Database {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  let database: Database;
  try {
    database = new Sqlite(path);
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    database.pragma('busy_timeout = 10000');
  } catch (error) {
    throw new StoreError(`the database ${path} cannot be opened: ${error instanceof Error ? error.message : String(error)}. Check that the folder is writable and the file is a Viaduc database.`, { cause: error });
  }
  try {
    migrate(database, path);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

function migrate(database: Database, path: string): void {
  const step = database.transaction(() => {
    const version = Number(database.pragma('user_version', { simple: true }));
    if (version > migrations.length) {
      throw new StoreError(`the database ${path} has schema ${version}, this version of Viaduc knows up to ${migrations.length}. It was written by a newer Viaduc: install that version again, or restore a backup made before the upgrade.`);
    }
    for (const migration of migrations.slice(version)) database.exec(migration);
    database.pragma(`user_version = ${migrations.length}`);
  });
  step.immediate();
}
