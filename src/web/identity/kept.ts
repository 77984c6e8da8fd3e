// Owns what the page keeps in the browser; a browser that refuses storage (a widget in a strict one) only forgets.
import { safeParse, type ZodMiniType } from 'zod/mini';

type Shelf = () => Storage;

export const onThisDevice: Shelf = () => localStorage;
export const inThisTab: Shelf = () => sessionStorage;

/** The kept value, or undefined when there is none, it has another shape, or the browser keeps nothing. */
export function readKept<T>(shelf: Shelf, key: string, schema: ZodMiniType<T>): T | undefined {
  try {
    const text = shelf().getItem(key);
    if (text === null) return undefined;
    const parsed = safeParse(schema, JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps a value under a key; undefined removes it. */
export function keep(shelf: Shelf, key: string, value: unknown): void {
  try {
    if (value === undefined) shelf().removeItem(key);
    else shelf().setItem(key, JSON.stringify(value));
  } catch {
    // Storage is off or full: the page works, it only asks again next time.
  }
}
