// Port: what survives a restart. Implemented by store/. Synchronous: SQLite commits before the method returns.
import type { CallId, EventId, RoomId, Slug, UserId } from '../../call/ids.ts';
import type { Call } from '../../call/call.ts';
import type { Language } from './room-voice.ts';

export interface CallStore {
  /** Saves the call and its outbox marks in one transaction. */
  save(call: Call, marks: readonly { readonly mark: OutboxMark; readonly dueAtMs: number }[]): void;
  /** Calls not ended, or ended with something still to be said. */
  unfinished(): readonly Call[];
  find(callId: CallId): Call | undefined;
}

/** Something to be said or set in a room. One row per key: marking it again makes it due again. */
export type OutboxMark =
  | { readonly kind: 'notice'; readonly key: string; readonly room: RoomId; readonly callId: CallId }
  | { readonly kind: 'widget'; readonly key: string; readonly room: RoomId }
  | { readonly kind: 'message'; readonly key: string; readonly room: RoomId; readonly content: Readonly<Record<string, unknown>> };

export interface OutboxRow {
  readonly mark: OutboxMark;
  /** Grows with every mark of the key: what was marked again meanwhile is not done. */
  readonly revision: number;
  readonly attempts: number;
  readonly dueAtMs: number;
}

export interface Outbox {
  mark(mark: OutboxMark, dueAtMs: number): void;
  due(nowMs: number, limit: number): readonly OutboxRow[];
  nextDueAtMs(): number | undefined;
  /** Removes the row unless it was marked again since (revision). */
  done(row: OutboxRow): void;
  /** After a failed attempt. */
  retry(row: OutboxRow, dueAtMs: number): void;
  /** Without an attempt: not before that time. */
  defer(row: OutboxRow, dueAtMs: number): void;
  depth(): number;
}

/** Events taken from the homeserver: accepted once, worked through afterwards. */
export interface EventInbox {
  /** False: seen before. The event is kept until `done`. */
  accept(eventId: EventId, receivedAtMs: number, event: unknown): boolean;
  /** Accepted and not done, oldest first: to be worked through again after a restart. */
  pending(): readonly { readonly eventId: EventId; readonly receivedAtMs: number; readonly event: unknown }[];
  done(eventId: EventId): void;
  /** Forgets events done before that time. */
  prune(beforeMs: number): void;
}

export interface RoomSettings {
  readonly room: RoomId;
  readonly slug: Slug;
  readonly language: Language | undefined;
  /** What the last attempt to set the widget told. undefined: never tried. */
  readonly widget: 'set' | 'forbidden' | undefined;
}

export interface RoomStore {
  bySlug(slug: Slug): RoomSettings | undefined;
  byRoom(room: RoomId): RoomSettings | undefined;
  save(settings: RoomSettings): void;
}

/** Rooms that have been encrypted once: for ever, whatever their state says later. */
export interface EncryptedRooms {
  has(room: RoomId): boolean;
  add(room: RoomId): void;
}

export interface SignInStore {
  add(id: string, user: UserId, expiresAtMs: number): void;
  isLive(id: string, user: UserId, nowMs: number): boolean;
  /** Post: the id is never live again. False: it was not there. */
  revoke(id: string): boolean;
  prune(nowMs: number): void;
}
