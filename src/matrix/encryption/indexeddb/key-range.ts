// Owns IDBKeyRange: from which key to which, with or without the ends.
import { fault } from './fault.ts';
import { encodeKey, firstBytes, lastBytes } from './keys.ts';

export class IDBKeyRange {
  readonly lower: unknown;
  readonly upper: unknown;
  readonly lowerOpen: boolean;
  readonly upperOpen: boolean;
  readonly from: Buffer;
  readonly to: Buffer;

  constructor(lower: unknown, upper: unknown, lowerOpen = false, upperOpen = false) {
    this.lower = lower;
    this.upper = upper;
    this.lowerOpen = lowerOpen;
    this.upperOpen = upperOpen;
    this.from = lower === undefined ? firstBytes : encodeKey(lower);
    this.to = upper === undefined ? lastBytes : encodeKey(upper);
    const order = Buffer.compare(this.from, this.to);
    if (order > 0 || (order === 0 && (lowerOpen || upperOpen))) throw fault('DataError', 'the key range is empty');
  }

  static only(key: unknown): IDBKeyRange {
    encodeKey(key);
    return new IDBKeyRange(key, key);
  }

  static bound(lower: unknown, upper: unknown, lowerOpen = false, upperOpen = false): IDBKeyRange {
    encodeKey(lower);
    encodeKey(upper);
    return new IDBKeyRange(lower, upper, lowerOpen, upperOpen);
  }

  static lowerBound(lower: unknown, open = false): IDBKeyRange {
    encodeKey(lower);
    return new IDBKeyRange(lower, undefined, open, true);
  }

  static upperBound(upper: unknown, open = false): IDBKeyRange {
    encodeKey(upper);
    return new IDBKeyRange(undefined, upper, true, open);
  }
}

/** A key or a range. @throws DataError: neither */
export function rangeOf(query: unknown): IDBKeyRange {
  return query instanceof IDBKeyRange ? query : IDBKeyRange.only(query);
}

/** A key or a range; nothing: everything. */
export function rangeOrAll(query: unknown): IDBKeyRange {
  return query === undefined || query === null ? new IDBKeyRange(undefined, undefined) : rangeOf(query);
}
