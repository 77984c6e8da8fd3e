// Port: what is true of Matrix rooms now, as our homeserver sees it. Implemented by matrix/.
import type { RoomId, UserId } from '../../call/ids.ts';
import type { CallError } from '../../call/errors.ts';
import type { PowerLevels } from '../../call/roles.ts';
import type { Result } from '../../util/result.ts';

export interface RoomDirectory {
  /** A joined member with display name; `undefined` in value: not joined (or the bot is not there to see it). When in doubt: not joined. */
  member(room: RoomId, user: UserId): Promise<Result<RoomMember | undefined, CallError>>;
  powerLevels(room: RoomId): Promise<Result<PowerLevels, CallError>>;
  /** Is anybody joined whom `counts` accepts? undefined: the bot is not in the room. */
  hasMember(room: RoomId, counts: (user: UserId) => boolean): Promise<Result<boolean | undefined, CallError>>;
  /** Everybody who is joined; nobody: the bot is not in the room. */
  members(room: RoomId): Promise<Result<readonly UserId[], CallError>>;
  /** Display name of the room, if it has one. */
  name(room: RoomId): Promise<string | undefined>;
}

export interface RoomMember {
  readonly user: UserId;
  /** Display name as the room's state gives it; empty if none. Data of a stranger: may hold anything but control characters. */
  readonly displayName: string;
}

/** What happens in rooms, told to control/ in the order of the homeserver's transactions. */
export interface RoomListener {
  /** Somebody has joined. */
  memberCame(room: RoomId, user: UserId): Promise<void>;
  /** Somebody is no longer joined (left, kicked, banned). */
  memberGone(room: RoomId, user: UserId): Promise<void>;
  powerLevelsChanged(room: RoomId): Promise<void>;
  /** The bot is out of the room, or the room was upgraded away from. */
  roomLost(room: RoomId): Promise<void>;
  /** The room was upgraded and its successor points back: its page address and language move along. */
  roomUpgraded(from: RoomId, to: RoomId): Promise<void>;
}
