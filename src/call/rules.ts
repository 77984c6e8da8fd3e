// Owns the limits of a call, and who may start and end one.
import type { Call } from './call.ts';
import type { UserId } from './ids.ts';
import type { Participant } from './participant.ts';
import { powerOf, roleOf, type PowerLevels } from './roles.ts';

export interface CallRules {
  /** Power level needed to start a call. */
  readonly startLevel: number;
  readonly maxParticipants: number;
  readonly maxTracksPerParticipant: number;
  /** A call that nobody ever joined ends after this time. */
  readonly neverJoinedTimeoutMs: number;
  /** A call ends this long after the last one left. */
  readonly emptyTimeoutMs: number;
  /** How long people whose connection broke with us keep their place. */
  readonly lostGraceMs: number;
}

/** Attributes by which the bridge says who somebody is: nobody changes them. */
export const attestedAttributes: ReadonlySet<string> = new Set(['user_id', 'organisation', 'role']);

/** LiveKit's own limits: name 256 characters, metadata 512 KiB, attributes 64 KiB in sum. */
const limits = { nameLength: 256, metadataBytes: 512 * 1024, attributesBytes: 64 * 1024 };

/** What is too large, in words; undefined: everything fits. */
export function fits(participant: Pick<Participant, 'name' | 'metadata' | 'attributes'>): string | undefined {
  if (participant.name.length > limits.nameLength) return `the name is longer than ${limits.nameLength} characters`;
  if (utf8Bytes(participant.metadata) > limits.metadataBytes) return `the metadata is larger than ${limits.metadataBytes} bytes`;
  let attributesBytes = 0;
  for (const [key, value] of participant.attributes) attributesBytes += utf8Bytes(key) + utf8Bytes(value);
  return attributesBytes > limits.attributesBytes ? `the attributes are larger than ${limits.attributesBytes} bytes in sum` : undefined;
}

export function mayStart(user: UserId, levels: PowerLevels, rules: CallRules): boolean {
  return powerOf(user, levels) >= rules.startLevel;
}

/** Who started the call, and moderators. */
export function mayEnd(user: UserId, call: Call, levels: PowerLevels): boolean {
  return user === call.startedBy || roleOf(user, levels) !== 'participant';
}

function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
