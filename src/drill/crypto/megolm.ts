// Owns what a ciphertext shows to everybody: its session, and its place in it.
import { z } from 'zod';

const content = z.object({ session_id: z.string(), ciphertext: z.string() });

/** @throws when it is no Megolm message of version 3 (https://gitlab.matrix.org/matrix-org/olm/-/blob/master/docs/megolm.md) */
export function placeOf(encrypted: unknown): { readonly session: string; readonly index: number } {
  const { session_id: session, ciphertext } = content.parse(encrypted);
  const bytes = Buffer.from(ciphertext, 'base64');
  if (bytes[0] !== 3 || bytes[1] !== 8) throw new Error('this is no Megolm message');
  let index = 0;
  for (let at = 2, shift = 0; ; at += 1, shift += 7) {
    const byte = bytes[at] ?? 0;
    index |= (byte & 0x7f) << shift;
    if (byte < 0x80) return { session, index };
  }
}
