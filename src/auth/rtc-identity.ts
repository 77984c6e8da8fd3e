// Owns the names under which clients look for each other's media (MSC4195): computed on both sides, so exact to the byte.
import { createHash } from 'node:crypto';
import type { UserId } from '../call/ids.ts';

/** Of a session whose membership is known by its own id, as `/get_token` has it: 43 characters of base64. */
export function memberIdentity(user: UserId, device: string, memberId: string): string {
  return createHash('sha256').update(JSON.stringify([user, device, memberId])).digest('base64').replace(/=+$/, '');
}
