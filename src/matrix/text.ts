// Owns what may be said of text from strangers: one line, no control or direction characters, safe in HTML.
import { randomInt } from 'node:crypto';

const maxLength = 200;
// Cc controls, line and paragraph separators, and the marks that turn the reading direction of what follows.
const unsafe = /[\p{Cc}\u2028\u2029\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]+/gu;

/** A name as people may see it: a single trimmed line of at most 200 characters. */
export function oneLine(text: string): string {
  const line = text.replaceAll(unsafe, ' ').replaceAll(/\s+/gu, ' ').trim();
  // A cut through a surrogate pair would leave half a character.
  return line.slice(0, maxLength).replace(/[\uD800-\uDBFF]$/, '');
}

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;');
}

const refAlphabet = 'abcdefghijkmnpqrstuvwxyz23456789';

/** Short id that is both in an answer to a person and in the log. */
export function newRef(): string {
  return Array.from({ length: 8 }, () => refAlphabet.charAt(randomInt(refAlphabet.length))).join('');
}
