// Owns the way from a homeserver's JSON to MatrixEvent: what is understood, what is ignored, what is malformed.
import { z } from 'zod';
import type { EventId, RoomId, UserId } from '../call/ids.ts';
import { isUserId } from '../call/ids.ts';
import { err, ok, type Result } from '../util/result.ts';
import { encryptedContent, memberContent, messageContent, roomEvent, tombstoneContent, type Membership, type RoomEvent } from './event-schemas.ts';
import { newRef, oneLine } from './text.ts';

const record = z.record(z.string(), z.unknown());

interface Envelope {
  readonly eventId: EventId;
  readonly room: RoomId;
  readonly sender: UserId;
  /** How old the homeserver says it is; undefined: it does not say. Independent of the sender's clock. */
  readonly ageMs: number | undefined;
  readonly sentAtMs: number;
}

export interface MemberEvent extends Envelope {
  readonly type: 'member';
  readonly user: UserId;
  readonly membership: Membership;
  readonly before: Membership | undefined;
}

export interface MessageEvent extends Envelope {
  readonly type: 'message';
  readonly msgtype: string;
  readonly body: string;
  /** It replaces an earlier message (`m.replace`). */
  readonly isEdit: boolean;
  readonly thread: string | undefined;
}

export interface EncryptedEvent extends Envelope {
  readonly type: 'encrypted';
  /** Which key it needs. */
  readonly session: string;
  /** It says in clear that it replaces an earlier message. */
  readonly isEdit: boolean;
  /** As the homeserver told it: what decryption takes. */
  readonly raw: Readonly<Record<string, unknown>>;
}

export interface TombstoneEvent extends Envelope {
  readonly type: 'tombstone';
  readonly replacement: RoomId;
}

/** Room state of which only the change is of interest: what is true is read from the homeserver. */
export interface StateEvent extends Envelope {
  readonly type: 'powerLevels' | 'name' | 'encryption';
}

export type MatrixEvent = MemberEvent | MessageEvent | EncryptedEvent | TombstoneEvent | StateEvent;

/** What could not be understood, with the reference that the log has. */
export interface DecodeFailure {
  readonly ref: string;
  readonly eventType: string;
  readonly detail: string;
}

/** undefined in value: well-formed, but of no concern to the bridge. */
export function decodeEvent(raw: unknown): Result<MatrixEvent | undefined, DecodeFailure> {
  const event = roomEvent.safeParse(raw);
  if (!event.success) return failure('unknown', event.error);
  switch (event.data.type) {
    case 'm.room.member':
      return decodeMember(event.data);
    case 'm.room.message':
      return ok(decodeMessage(event.data));
    case 'm.room.encrypted':
      return ok(decodeEncrypted(event.data, raw));
    case 'm.room.tombstone':
      return decodeTombstone(event.data);
    case 'm.room.power_levels':
      return ok(stateOf('powerLevels', event.data));
    case 'm.room.name':
      return ok(stateOf('name', event.data));
    case 'm.room.encryption':
      return ok(stateOf('encryption', event.data));
    default:
      return ok(undefined);
  }
}

function decodeMember(event: RoomEvent): Result<MemberEvent | undefined, DecodeFailure> {
  if (event.state_key === undefined || !isUserId(event.state_key)) return failure(event.type, 'the state key is no user id');
  const content = memberContent.safeParse(event.content);
  if (!content.success) return failure(event.type, content.error);
  const before = memberContent.safeParse(event.unsigned?.prev_content).data?.membership;
  return ok({ ...envelopeOf(event), type: 'member', user: event.state_key, membership: content.data.membership, before });
}

function decodeMessage(event: RoomEvent): MessageEvent | undefined {
  const content = messageContent.safeParse(event.content);
  // Redacted messages have no content left: nothing to understand, nothing wrong.
  if (!content.success) return undefined;
  const { msgtype, body, 'm.relates_to': relation } = content.data;
  return {
    ...envelopeOf(event),
    type: 'message',
    msgtype,
    body,
    isEdit: relation?.rel_type === 'm.replace' || content.data['m.new_content'] !== undefined,
    thread: relation?.rel_type === 'm.thread' ? relation.event_id : undefined,
  };
}

function decodeEncrypted(event: RoomEvent, raw: unknown): EncryptedEvent | undefined {
  const content = encryptedContent.safeParse(event.content);
  // Redacted, or of an algorithm for something else than rooms.
  if (!content.success) return undefined;
  return { ...envelopeOf(event), type: 'encrypted', session: content.data.session_id, isEdit: content.data['m.relates_to']?.rel_type === 'm.replace', raw: record.parse(raw) };
}

/** What an encrypted event says, told as the message that it is; undefined: it is none. What it refers to stands outside the cipher. */
export function decodeDecrypted(event: EncryptedEvent, plain: { readonly type: string; readonly content: Readonly<Record<string, unknown>> }): MessageEvent | undefined {
  if (plain.type !== 'm.room.message') return undefined;
  const outside = record.safeParse(event.raw['content']).data?.['m.relates_to'];
  const relation = plain.content['m.relates_to'] ?? outside;
  const decoded = decodeEvent({ ...event.raw, type: plain.type, content: { ...plain.content, ...(relation !== undefined && { 'm.relates_to': relation }) } });
  return decoded.ok && decoded.value?.type === 'message' ? decoded.value : undefined;
}

function decodeTombstone(event: RoomEvent): Result<TombstoneEvent | undefined, DecodeFailure> {
  if (event.state_key !== '') return ok(undefined);
  const content = tombstoneContent.safeParse(event.content);
  if (!content.success) return failure(event.type, content.error);
  return ok({ ...envelopeOf(event), type: 'tombstone', replacement: content.data.replacement_room });
}

function stateOf(type: StateEvent['type'], event: RoomEvent): StateEvent | undefined {
  return event.state_key === '' ? { ...envelopeOf(event), type } : undefined;
}

function envelopeOf(event: RoomEvent): Envelope {
  return { eventId: event.event_id, room: event.room_id, sender: event.sender, ageMs: event.unsigned?.age, sentAtMs: event.origin_server_ts };
}

function failure(eventType: string, problem: z.ZodError | string): Result<never, DecodeFailure> {
  const detail = typeof problem === 'string' ? problem : problem.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  return err({ ref: newRef(), eventType: oneLine(eventType), detail: oneLine(detail) });
}
