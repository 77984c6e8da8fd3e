// Owns the shapes of the bridge's answers, checked on arrival. No DOM.
import { config, literal, number, object, optional, string, union, enum as oneOf, type output } from 'zod/mini';

// Compiled checks need eval, which the page's policy forbids.
config({ jitless: true });

const language = oneOf(['fr', 'en']);

/** GET /api/page. */
export const pageInfoSchema = object({ organisation: string(), defaultLanguage: language });
export type PageInfo = output<typeof pageInfoSchema>;

/** POST /api/calls/<slug>/join: what lets one device into the call for a short time; instants are ms since 1970. */
export const ticketSchema = object({
  url: string(),
  jwt: string(),
  identity: string(),
  user_id: string(),
  display_name: string(),
  role: oneOf(['participant', 'moderator', 'owner']),
  room_name: optional(string()),
  language,
  call: object({ started_at: number() }),
});
export type Ticket = output<typeof ticketSchema>;

/** POST /api/calls/<slug>/pairing: a code to say in the room. */
export const pairingSchema = object({ code: string(), pairing: string(), expires_in_ms: number(), say: string() });
export type Pairing = output<typeof pairingSchema>;

/** GET /api/pairings/<secret>. */
export const pairingStatusSchema = union([
  object({ status: literal('waiting') }),
  object({ status: literal('expired') }),
  object({ status: literal('paired'), sign_in: string(), user_id: string(), expires_at: number() }),
]);
export type PairingStatus = output<typeof pairingStatusSchema>;

/** The body of every refusal. */
export const refusalBodySchema = object({
  errcode: string(),
  error: optional(string()),
  ref: optional(string()),
  retry_after_ms: optional(number()),
});
export type RefusalBody = output<typeof refusalBodySchema>;

/** What a Matrix client answers when a widget asks who its user is (OpenID token). */
export const openIdSchema = object({
  access_token: string(),
  token_type: string(),
  matrix_server_name: string(),
  expires_in: number(),
});
export type OpenIdToken = output<typeof openIdSchema>;
