// Owns the file of what outlives the crypto store: the bot's cross-signing seeds, and the key that encrypts the store.
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';

const seedsShape = z.object({ master: z.string(), selfSigning: z.string(), userSigning: z.string() });
const fileShape = z.object({ storeKey: z.base64().refine((text) => Buffer.from(text, 'base64').length === 32, 'must be 32 bytes'), seeds: seedsShape.optional() });

export type Seeds = z.infer<typeof seedsShape>;

/** Post: every change is on the disk when the method returns. */
export class KeptIdentity {
  readonly #path: string;
  #content: z.infer<typeof fileShape>;

  /** Reads the file, or makes it. @throws Error in words when it cannot be read */
  constructor(path: string) {
    this.#path = path;
    if (existsSync(path)) this.#content = read(path);
    else this.#content = this.#write({ storeKey: randomBytes(32).toString('base64') });
  }

  get storeKey(): Uint8Array {
    return new Uint8Array(Buffer.from(this.#content.storeKey, 'base64'));
  }

  /** Undefined: the bot has never had an identity here. */
  get seeds(): Seeds | undefined {
    return this.#content.seeds;
  }

  keep(seeds: Seeds): void {
    this.#content = this.#write({ ...this.#content, seeds });
  }

  #write(content: z.infer<typeof fileShape>): z.infer<typeof fileShape> {
    const fresh = `${this.#path}.new`;
    writeFileSync(fresh, JSON.stringify(content), { mode: 0o600, flush: true });
    renameSync(fresh, this.#path);
    const folder = openSync(dirname(this.#path), 'r');
    fsyncSync(folder);
    closeSync(folder);
    return content;
  }
}

function read(path: string): z.infer<typeof fileShape> {
  try {
    return fileShape.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new Error(`${path} is damaged: restore it from a backup, or move it and the crypto store beside it away: the bot then gets a new identity, which people must accept`, { cause });
  }
}
