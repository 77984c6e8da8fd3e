// Owns what the page reads of the client API's answers: /sync, /messages, and the contents of the events it shows.
import { z } from 'zod';

export const eventSchema = z.object({
  type: z.string(),
  event_id: z.string().default(''),
  sender: z.string(),
  state_key: z.string().optional(),
  origin_server_ts: z.number().default(0),
  content: z.record(z.string(), z.unknown()),
  redacts: z.string().optional(),
  unsigned: z.object({ transaction_id: z.string().optional(), prev_content: z.record(z.string(), z.unknown()).optional(), redacted_because: z.unknown().optional() }).optional(),
});
export type MatrixEvent = z.infer<typeof eventSchema>;

const events = z.object({ events: z.array(eventSchema) }).default({ events: [] });
const told = z.object({ state: events, timeline: z.object({ events: z.array(eventSchema), limited: z.boolean().optional(), prev_batch: z.string().optional() }).default({ events: [] }) });

export const syncSchema = z.object({
  next_batch: z.string(),
  rooms: z
    .object({
      join: z.record(z.string(), told).default({}),
      invite: z.record(z.string(), z.object({ invite_state: events })).default({}),
      leave: z.record(z.string(), told).default({}),
    })
    .partial()
    .default({}),
});
export type SyncAnswer = z.infer<typeof syncSchema>;

export const pageSchema = z.object({ chunk: z.array(eventSchema), end: z.string().optional() });
export const openIdSchema = z.object({ access_token: z.string(), token_type: z.string(), matrix_server_name: z.string(), expires_in: z.number() });

export const messageSchema = z.object({
  msgtype: z.string(),
  body: z.string(),
  format: z.string().optional(),
  formatted_body: z.string().optional(),
  'fr.viaduc.call': z.unknown().optional(),
});
export type MessageContent = z.infer<typeof messageSchema>;

export const editSchema = z.object({ 'm.relates_to': z.object({ rel_type: z.literal('m.replace'), event_id: z.string() }), 'm.new_content': z.record(z.string(), z.unknown()) });
export const memberSchema = z.object({ membership: z.string(), displayname: z.string().nullish(), reason: z.string().optional() });
export const nameSchema = z.object({ name: z.string() });
export const topicSchema = z.object({ topic: z.string() });
export const powerLevelsSchema = z.object({ users: z.record(z.string(), z.number()).default({}), users_default: z.number().default(0), kick: z.number().default(50) });
export const createSchema = z.object({ room_version: z.string().default('1'), additional_creators: z.array(z.string()).default([]) });

/** MSC1236 as clients know it; an empty content means that the widget was taken away. */
export const widgetSchema = z.object({
  type: z.string(),
  name: z.string().optional(),
  creatorUserId: z.string().optional(),
  url: z.url({ protocol: /^https?$/ }),
  data: z.record(z.string(), z.unknown()).optional(),
});
export type WidgetContent = z.infer<typeof widgetSchema>;

/** What Viaduc's notice says for machines. */
export const callSchema = z.object({
  call_id: z.string(),
  state: z.enum(['open', 'ended']),
  started_by: z.string().optional(),
  started_at: z.number().optional(),
  ended_at: z.number().optional(),
  people: z.array(z.object({ server: z.string(), count: z.number() })).default([]),
  url: z.url({ protocol: /^https?$/ }).optional(),
});
export type CallContent = z.infer<typeof callSchema>;
