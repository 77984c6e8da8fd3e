// Owns the offers that specs read: captured or shaped after real clients, kept with plain line ends.
import { readFileSync } from 'node:fs';

export type OfferName = 'chromium' | 'firefox-shaped' | 'native-placeholders';

/** A session description as it comes over the wire. */
export function offerText(name: OfferName): string {
  return readFileSync(new URL(`../livekit/offers/${name}.sdp`, import.meta.url), 'utf8').replaceAll('\n', '\r\n');
}
