// Owns the bridge's signing key: made once, kept in the data folder, readable by nobody else.
import { createHmac, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The keys of this bridge, each for one use. */
export interface SigningKeys {
  readonly ticket: Uint8Array;
  readonly signIn: Uint8Array;
  readonly alias: Uint8Array;
}

/** Reads the key file, or makes it at the first start. @throws if it cannot be read or is too short */
export function loadSigningKeys(dataFolder: string): SigningKeys {
  const root = readOrMake(dataFolder);
  const derive = (use: string): Uint8Array => createHmac('sha256', root).update(use).digest();
  return { ticket: derive('viaduc ticket'), signIn: derive('viaduc sign-in'), alias: derive('viaduc device alias') };
}

/** A short name that stands for a text where the text itself must not go. */
export function aliasOf(key: Uint8Array, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url').slice(0, 16);
}

function readOrMake(dataFolder: string): Buffer {
  const path = join(dataFolder, 'signing.key');
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(path, `${randomBytes(32).toString('base64url')}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  const key = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64url');
  if (key.length < 32) throw new Error(`${path} does not hold a key of 32 bytes in base64url. Restore it from a backup, or delete it to have a new one made (paired browsers must then be paired again).`);
  return key;
}
