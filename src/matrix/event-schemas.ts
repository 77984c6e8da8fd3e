// Owns the zod schemas of the Matrix events that the bridge reads.
import { z } from 'zod';
import { isEventId, isRoomId, isUserId } from '../call/ids.ts';

const content = z.record(z.string(), z.unknown());

export const roomEvent = z.object({
  type: z.string().max(255),
  event_id: z.string().refine(isEventId, 'not an event id'),
  room_id: z.string().refine(isRoomId, 'not a room id'),
  sender: z.string().refine(isUserId, 'not a user id'),
  origin_server_ts: z.number().int().nonnegative(),
  content,
  state_key: z.string().optional(),
  unsigned: z.object({ age: z.number().optional().catch(undefined), prev_content: content.optional().catch(undefined) }).optional().catch(undefined),
});
export type RoomEvent = z.infer<typeof roomEvent>;

const membership = z.enum(['join', 'leave', 'ban', 'invite', 'knock']);

export const memberContent = z.object({ membership, displayname: z.string().nullish().catch(undefined) });
export type Membership = z.infer<typeof membership>;

const relation = z.object({ rel_type: z.string().optional(), event_id: z.string().optional() });

export const messageContent = z.object({
  msgtype: z.string(),
  body: z.string(),
  'm.relates_to': relation.optional().catch(undefined),
  'm.new_content': z.unknown().optional(),
});

export const megolm = 'm.megolm.v1.aes-sha2';

export const encryptedContent = z.object({ algorithm: z.literal(megolm), session_id: z.string().max(255), 'm.relates_to': relation.optional().catch(undefined) });

const period = z.number().int().positive().optional().catch(undefined);

/** How a room wants to be encrypted; an algorithm that is not known is told, for the bot must not speak then. */
export const encryptionContent = z.object({ algorithm: z.string().catch(''), rotation_period_ms: period, rotation_period_msgs: period });

export const visibilityContent = z.object({ history_visibility: z.enum(['joined', 'invited', 'shared', 'world_readable']).catch('shared') });

export const tombstoneContent = z.object({ replacement_room: z.string().refine(isRoomId, 'not a room id') });

export const nameContent = z.object({ name: z.string().optional() });

export const createContent = z.object({
  room_version: z.string().catch('1'),
  additional_creators: z.array(z.string().refine(isUserId, 'not a user id')).optional().catch(undefined),
  predecessor: z.object({ room_id: z.string().refine(isRoomId, 'not a room id') }).optional().catch(undefined),
});

// Room versions before 10 let power levels be text.
const level = z.union([z.number(), z.string().regex(/^\s*[+-]?\d+\s*$/).transform(Number)]).pipe(z.number().int());

// What is malformed counts as absent, as the authorisation rules of old room versions do.
export const powerLevelsContent = z.object({
  users: z.record(z.string(), level.catch(0)).catch({}),
  users_default: level.catch(0),
  events: z.record(z.string(), level.catch(50)).catch({}),
  state_default: level.catch(50),
  kick: level.catch(50),
});
