// Port: what the bridge says and sets in Matrix rooms. Implemented by matrix/; called by the outbox only, which retries.
import type { EventId, RoomId, ServerName, Slug, UserId } from '../../call/ids.ts';

export type Language = 'fr' | 'en';

/** What the notice of a call shows, whatever its wording. */
export interface CallNotice {
  readonly room: RoomId;
  readonly callId: string;
  readonly slug: Slug;
  /** moved: the call goes on, and another bridge speaks for it now. */
  readonly state: 'open' | 'ended' | 'moved';
  /** The organisation whose bridge speaks for it now, in state moved. */
  readonly movedTo: ServerName | undefined;
  /** The call was announced before, by a bridge that was lost. */
  readonly continued: boolean;
  readonly startedBy: UserId;
  readonly startedAtMs: number;
  readonly endedAtMs: number | undefined;
  /** open: people in the call now, ended: people who came; per organisation, largest first. */
  readonly people: readonly { readonly server: ServerName; readonly count: number }[];
  /** Where other organisations' people find the call at their own bridges. */
  readonly pages: readonly { readonly server: ServerName; readonly url: string }[];
  /** Organisations with which picture and sound are not exchanged at the moment. */
  readonly impaired: readonly ServerName[];
  /** False: the bot may not set the room's widget; the notice says so in one sentence. */
  readonly widgetSet: boolean;
  readonly language: Language;
}

export type Delivery =
  | { readonly kind: 'sent'; readonly eventId: EventId | undefined }
  /** Never to be tried again: `forbidden` (M_FORBIDDEN, bot not in the room), `refused` (other 4xx). */
  | { readonly kind: 'refused'; readonly forbidden: boolean; readonly detail: string }
  /** 429 (with the homeserver's delay), 5xx, no connection. */
  | { readonly kind: 'later'; readonly retryAfterMs: number | undefined; readonly detail: string };

export interface RoomVoice {
  /** Posts the notice, or edits `noticeId`. `txnId` makes a repeat harmless. */
  notice(notice: CallNotice, noticeId: EventId | undefined, txnId: string): Promise<Delivery>;
  /** A ready message of the bot (rendered by matrix/ when it was queued). */
  message(room: RoomId, content: Readonly<Record<string, unknown>>, txnId: string): Promise<Delivery>;
  /** Sets or, without slug, clears the room's widget. Sends nothing when the room's state is already so. */
  widget(room: RoomId, slug: Slug | undefined, language: Language): Promise<Delivery>;
}
