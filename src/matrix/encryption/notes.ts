// Owns the few facts that stand in the crypto store beside the machine's keys, and are lost with them.
import { randomBytes } from 'node:crypto';
import type { Database } from 'better-sqlite3';

type Name = 'device' | 'published' | 'since';

/** The device's name is in the same file as its keys: a lost file makes a new device, never other keys under an old name. */
export class Notes {
  readonly #find: (name: Name) => string | undefined;
  readonly #put: (name: Name, value: string) => void;
  readonly #drop: (name: Name) => void;

  constructor(sql: Database) {
    sql.exec('CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT');
    const find = sql.prepare<[Name], string>('SELECT value FROM notes WHERE name = ?').pluck();
    const put = sql.prepare<[Name, string]>('INSERT INTO notes VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value');
    const drop = sql.prepare<[Name]>('DELETE FROM notes WHERE name = ?');
    this.#find = (name) => find.get(name);
    this.#put = (name, value) => void put.run(name, value);
    this.#drop = (name) => void drop.run(name);
    if (this.#find('device') === undefined) this.#put('device', `${devicePrefix}${randomBytes(5).toString('hex').toUpperCase()}`);
  }

  get device(): string {
    return this.#find('device') ?? '';
  }

  /** The homeserver was given this device's keys. */
  get isPublished(): boolean {
    return this.#find('published') !== undefined;
  }

  setPublished(): void {
    this.#put('published', '1');
  }

  /** Up to where /sync was taken in. */
  get since(): string | undefined {
    return this.#find('since');
  }

  set since(token: string | undefined) {
    if (token === undefined) this.#drop('since');
    else this.#put('since', token);
  }
}

/** Of devices that hold keys; the one that the bot sends from is called otherwise. */
export const devicePrefix = 'VIADUC_';
