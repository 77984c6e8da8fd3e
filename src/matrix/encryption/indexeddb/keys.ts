// Owns IndexedDB's keys as bytes: comparing the bytes orders them as the specification does (number < date < string < binary < array).
import { fault } from './fault.ts';

export type Key = number | Date | string | ArrayBuffer | readonly Key[];

const end = 0;
const tags = { number: 0x10, date: 0x20, string: 0x30, binary: 0x40, array: 0x50 };
const ascii = /^[\0-~]*$/;

/** Beyond every key. */
export const lastBytes: Buffer = Buffer.from([0xff]);
export const firstBytes: Buffer = Buffer.alloc(0);

/** @throws DOMException DataError: not a valid key */
export function encodeKey(key: unknown): Buffer {
  if (typeof key === 'string' && ascii.test(key)) return encodeAscii(key);
  const out: number[] = [];
  put(key, out);
  return Buffer.from(out);
}

/** The usual case: one byte per character, never 0. */
function encodeAscii(text: string): Buffer {
  const bytes = Buffer.allocUnsafe(text.length + 2);
  bytes[0] = tags.string;
  for (let index = 0; index < text.length; index += 1) bytes[index + 1] = text.charCodeAt(index) + 1;
  bytes[text.length + 1] = end;
  return bytes;
}

function put(key: unknown, out: number[]): void {
  if (typeof key === 'number') putNumber(tags.number, key, out);
  else if (key instanceof Date) putNumber(tags.date, key.getTime(), out);
  else if (typeof key === 'string') {
    out.push(tags.string);
    for (let index = 0; index < key.length; index += 1) putUnit(key.charCodeAt(index), out);
    out.push(end);
  } else if (key instanceof ArrayBuffer || ArrayBuffer.isView(key)) {
    out.push(tags.binary);
    for (const byte of bytesOf(key)) putUnit(byte, out);
    out.push(end);
  } else if (Array.isArray(key)) {
    out.push(tags.array);
    for (const item of key) put(item, out);
    out.push(end);
  } else throw fault('DataError', 'not a valid key');
}

function putNumber(tag: number, value: number, out: number[]): void {
  if (Number.isNaN(value)) throw fault('DataError', 'NaN is no key');
  const bytes = Buffer.alloc(8);
  // -0 and 0 are one key.
  bytes.writeDoubleBE(value === 0 ? 0 : value);
  out.push(tag, ...flipped(bytes, bytes.readUInt8(0) >= 0x80));
}

/** Negative numbers turn over wholly, others in their sign: then the bytes are in order. Its own inverse, told the sign. */
function flipped(bytes: Uint8Array, isNegative: boolean): Uint8Array {
  return bytes.map((byte, index) => (isNegative ? byte ^ 0xff : index === 0 ? byte ^ 0x80 : byte));
}

/** 1 to 3 bytes in order, never 0, which ends a text. */
function putUnit(unit: number, out: number[]): void {
  if (unit < 0x7f) out.push(unit + 1);
  else if (unit < 0x3fff) out.push(0x80 | (unit >> 8), unit & 0xff);
  else out.push(0xc0, unit >> 8, unit & 0xff);
}

function bytesOf(key: ArrayBuffer | ArrayBufferView): Uint8Array {
  return key instanceof ArrayBuffer ? new Uint8Array(key) : new Uint8Array(key.buffer, key.byteOffset, key.byteLength);
}

/** The key that these bytes were made of; binary keys come back as ArrayBuffer. */
export function decodeKey(bytes: Uint8Array): Key {
  return new Reader(bytes).key();
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  key(): Key {
    switch (this.#next()) {
      case tags.number:
        return this.#number();
      case tags.date:
        return new Date(this.#number());
      case tags.string:
        return this.#units().map((unit) => String.fromCharCode(unit)).join('');
      case tags.binary:
        return new Uint8Array(this.#units()).buffer;
      default:
        return this.#array();
    }
  }

  #next(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw fault('UnknownError', 'the stored key is cut off');
    this.#at += 1;
    return byte;
  }

  #atEnd(): boolean {
    if (this.#bytes[this.#at] !== end) return false;
    this.#at += 1;
    return true;
  }

  #number(): number {
    const stored = this.#bytes.subarray(this.#at, this.#at + 8);
    this.#at += 8;
    return Buffer.from(flipped(stored, (stored[0] ?? 0) < 0x80)).readDoubleBE(0);
  }

  #units(): number[] {
    const units: number[] = [];
    while (!this.#atEnd()) {
      const first = this.#next();
      if (first < 0x80) units.push(first - 1);
      else if (first < 0xc0) units.push(((first & 0x3f) << 8) | this.#next());
      else units.push((this.#next() << 8) | this.#next());
    }
    return units;
  }

  #array(): Key[] {
    const items: Key[] = [];
    while (!this.#atEnd()) items.push(this.key());
    return items;
  }
}
