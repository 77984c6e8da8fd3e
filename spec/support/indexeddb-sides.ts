// Owns the same work on two implementations of IndexedDB, with answers that can be compared.

interface Request {
  readonly result: unknown;
  readonly error: { readonly name: string } | null;
  onsuccess: unknown;
  onerror: unknown;
}

interface Source {
  get(query: unknown): Request;
  getKey(query: unknown): Request;
  getAll(query?: unknown, limit?: number): Request;
  getAllKeys(query?: unknown, limit?: number): Request;
  count(query?: unknown): Request;
  openCursor(query?: unknown, direction?: string): Request;
}

interface Store extends Source {
  put(value: unknown, key?: unknown): Request;
  add(value: unknown, key?: unknown): Request;
  delete(query: unknown): Request;
  clear(): Request;
  index(name: string): Source;
  createIndex(name: string, path: unknown, options?: object): unknown;
}

interface Transaction {
  objectStore(name: string): Store;
  abort(): void;
  commit(): void;
  oncomplete: unknown;
  onabort: unknown;
}

interface Base {
  transaction(names: string | readonly string[], mode?: string): Transaction;
  createObjectStore(name: string, options?: object): Store;
  close(): void;
}

interface KeyRanges {
  bound(from: unknown, to: unknown, lowerOpen?: boolean, upperOpen?: boolean): unknown;
  lowerBound(from: unknown, open?: boolean): unknown;
  upperBound(to: unknown, open?: boolean): unknown;
}

interface Cursor {
  readonly key: unknown;
  readonly primaryKey: unknown;
  readonly value: Readonly<Record<string, unknown>>;
  update(value: unknown): Request;
  delete(): Request;
  continue(): void;
}

export interface Side {
  readonly db: Base;
  readonly ranges: KeyRanges;
}

export interface Step {
  readonly what: 'put' | 'add' | 'delete' | 'clear' | 'get' | 'getKey' | 'getAll' | 'getAllKeys' | 'count' | 'cursor';
  readonly store: 'plain' | 'inline' | 'auto';
  /** One of the store's two indexes instead of the store itself, for what reads. */
  readonly index: 0 | 1 | undefined;
  readonly key: unknown;
  readonly value: Readonly<Record<string, unknown>>;
  readonly range: { readonly kind: 'none' | 'only' | 'bound' | 'lower' | 'upper'; readonly from: unknown; readonly to: unknown; readonly lowerOpen: boolean; readonly upperOpen: boolean };
  readonly limit: number;
  readonly direction: 'next' | 'prev';
  /** What a cursor does on its way. */
  readonly updates: boolean;
  readonly removes: boolean;
}

const indexNames = { plain: ['by_n', 'by_two'], inline: ['tags', 'only'], auto: [] } as const;

/** The order of keys, by an implementation whose types need a browser's. */
export function comparisonOf(factory: unknown): (a: unknown, b: unknown) => number {
  return (a, b) => (factory as { cmp(a: unknown, b: unknown): number }).cmp(a, b);
}

/** A new database with three kinds of stores and four kinds of indexes. */
export async function opened(factory: unknown, ranges: unknown): Promise<Side> {
  const request = (factory as { open(name: string, version: number): Request & { onupgradeneeded: unknown } }).open('base', 3);
  request.onupgradeneeded = () => {
    const db = request.result as Base;
    const plainStore = db.createObjectStore('plain');
    const inline = db.createObjectStore('inline', { keyPath: 'id' });
    db.createObjectStore('auto', { autoIncrement: true });
    plainStore.createIndex('by_n', 'n');
    plainStore.createIndex('by_two', ['n', 'deep.s']);
    inline.createIndex('tags', 'tags', { multiEntry: true });
    inline.createIndex('only', 'u', { unique: true });
  };
  return { db: (await settled(request)).result as Base, ranges: ranges as KeyRanges };
}

/** One step; what is thrown is an answer too. */
export async function act({ ranges }: Side, transaction: unknown, step: Step): Promise<unknown> {
  try {
    const store = (transaction as Transaction).objectStore(step.store);
    const query = rangeOf(ranges, step);
    const name = step.index === undefined ? undefined : indexNames[step.store][step.index];
    const source = name === undefined ? store : store.index(name);
    switch (step.what) {
      case 'put':
      case 'add':
        return await settled(step.store === 'plain' ? store[step.what](step.value, step.key) : store[step.what](step.value));
      case 'delete':
        return await settled(store.delete(query ?? step.key));
      case 'clear':
        return await settled(store.clear());
      case 'cursor':
        return await walk(source.openCursor(query, step.direction), step);
      case 'count':
        return await settled(source.count(query));
      case 'get':
      case 'getKey':
        return await settled(source[step.what](query ?? step.key));
      default:
        return await settled(source[step.what](query, step.limit));
    }
  } catch (error) {
    return { thrown: error instanceof Error || error instanceof DOMException ? error.name : String(error) };
  }
}

function rangeOf(ranges: KeyRanges, { key, range: { kind, from, to, lowerOpen, upperOpen } }: Step): unknown {
  if (kind === 'none') return undefined;
  if (kind === 'only') return key;
  if (kind === 'bound') return ranges.bound(from, to, lowerOpen, upperOpen);
  return kind === 'lower' ? ranges.lowerBound(from, lowerOpen) : ranges.upperBound(to, upperOpen);
}

function walk(request: Request, { store, updates, removes }: Step): Promise<unknown> {
  const rows: unknown[] = [];
  return new Promise((resolve) => {
    request.onerror = (event: { preventDefault(): void }) => {
      event.preventDefault();
      resolve(request.error?.name);
    };
    request.onsuccess = () => {
      const cursor = request.result as Cursor | null;
      if (cursor === null || rows.length > 200) {
        resolve(rows);
        return;
      }
      rows.push([cursor.key, cursor.primaryKey, cursor.value]);
      if (updates && rows.length === 2 && store === 'plain') cursor.update({ ...cursor.value, n: 2 });
      if (removes && rows.length === 3) cursor.delete();
      cursor.continue();
    };
  });
}

/** The request's answer: a result, or the name of its error. */
export function settled(request: unknown): Promise<{ readonly result?: unknown; readonly error?: string }> {
  const asked = request as Request;
  return new Promise((resolve) => {
    asked.onsuccess = () => resolve({ result: asked.result });
    asked.onerror = (event: { preventDefault(): void; stopPropagation(): void }) => {
      event.preventDefault();
      event.stopPropagation();
      resolve({ error: String(asked.error?.name) });
    };
  });
}

export function ended(transaction: unknown): Promise<'complete' | 'abort'> {
  const watched = transaction as Transaction;
  return new Promise((resolve) => {
    watched.oncomplete = () => resolve('complete');
    watched.onabort = () => resolve('abort');
  });
}

/** As text: equal values read equal, whatever kind of bytes holds them. */
export function plain(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (part instanceof ArrayBuffer) return { bytes: [...new Uint8Array(part)] };
    return part instanceof Uint8Array ? { bytes: [...part] } : part;
  });
}
