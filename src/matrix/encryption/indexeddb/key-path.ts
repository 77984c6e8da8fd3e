// Owns key paths: where in a value its key stands, and which entries it has in an index.
import { fault } from './fault.ts';
import { encodeKey } from './keys.ts';

export type KeyPath = string | readonly string[];

/** The key at the path; undefined: the value has none. @throws DataError when what stands there is not a key */
export function keyAt(value: unknown, path: KeyPath): unknown {
  if (typeof path !== 'string') {
    const keys = path.map((step) => keyAt(value, step));
    return keys.includes(undefined) ? undefined : keys;
  }
  let found: unknown = value;
  for (const step of path === '' ? [] : path.split('.')) {
    if (found === null || found === undefined) return undefined;
    found = typeof found === 'string' && step === 'length' ? found.length : Reflect.get(Object(found), step);
  }
  return found;
}

/** Puts a generated key where the path says. */
export function putKeyAt(value: unknown, path: KeyPath, key: number): void {
  if (typeof path !== 'string' || path.includes('.') || typeof value !== 'object' || value === null) throw fault('DataError', 'the generated key has no place in the value');
  Reflect.set(value, path, key);
}

/** Encoded keys of a value's entries in an index; what is no key makes no entry. */
export function entriesOf(value: unknown, path: KeyPath, isMultiEntry: boolean): readonly Buffer[] {
  const key = keyAt(value, path);
  if (key === undefined) return [];
  if (!isMultiEntry || !Array.isArray(key)) return encodedOrNone(key);
  const unique = new Map(key.flatMap(encodedOrNone).map((bytes) => [bytes.toString('latin1'), bytes]));
  return [...unique.values()];
}

function encodedOrNone(key: unknown): readonly Buffer[] {
  try {
    return [encodeKey(key)];
  } catch (error) {
    if (error instanceof DOMException && error.name === 'DataError') return [];
    throw error;
  }
}
