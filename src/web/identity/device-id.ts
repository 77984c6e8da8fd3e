// Owns the id of this device in the call: the Matrix client's own in a widget, else one per browser tab.
import { string } from 'zod/mini';
import { inThisTab, keep, readKept } from './kept.ts';

const letters = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';

function freshDeviceId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return `PAGE_${Array.from(bytes, (byte) => letters.charAt(byte % letters.length)).join('')}`;
}

/** The same id for as long as the tab lives, also over a reload: the bridge then replaces the old session instead of adding one. */
export function deviceIdOfTab(): string {
  const kept = readKept(inThisTab, 'viaduc.device', string());
  if (kept !== undefined) return kept;
  const fresh = freshDeviceId();
  keep(inThisTab, 'viaduc.device', fresh);
  return fresh;
}
