// Port: what people may ask of calls from a room. Implemented by control/, used by matrix/'s commands.
import type { EventId, RoomId, ServerName, Slug, UserId } from '../../call/ids.ts';
import type { CallError } from '../../call/errors.ts';
import type { Result } from '../../util/result.ts';
import type { Language } from './room-voice.ts';

export interface RoomCommands {
  /**
   * Starts a call, or finds the one that runs. Idempotent per event id. The notice and the widget follow by themselves.
   * Refused: startForbidden (power level), draining, homeserverUnavailable.
   */
  start(room: RoomId, by: UserId, eventId: EventId): Promise<Result<{ readonly started: boolean; readonly slug: Slug }, CallError>>;
  status(room: RoomId): Promise<CallStatus | undefined>;
  /** Refused: forbidden (neither who started it nor a moderator), callEnded (none runs). */
  end(room: RoomId, by: UserId): Promise<Result<undefined, CallError>>;
  /** Refused: forbidden (the level to change the room's name is needed). */
  setLanguage(room: RoomId, by: UserId, language: Language): Promise<Result<undefined, CallError>>;
  language(room: RoomId): Language;
  /** A person in the room says the code that their browser shows. Refused: badRequest (unknown, used or expired), tooManyRequests. */
  claimCode(room: RoomId, by: UserId, code: string): Promise<Result<undefined, CallError>>;
  /** Whether this bridge has given out this code for the room. */
  hasCode(room: RoomId, code: string): boolean;
  /** Queues a message of the bot; `key` makes a repeat harmless (use the event id it answers). */
  say(room: RoomId, key: string, content: Readonly<Record<string, unknown>>): void;
}

export interface CallStatus {
  readonly slug: Slug;
  readonly startedBy: UserId;
  readonly startedAtMs: number;
  readonly people: readonly { readonly user: UserId; readonly server: ServerName; readonly connected: boolean }[];
}
