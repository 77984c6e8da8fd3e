// Owns the way from a room's power levels to a person's role and rights in the call.
import type { UserId } from './ids.ts';
import type { TrackSource } from './track.ts';

export type Role = 'participant' | 'moderator' | 'owner';

/** The part of `m.room.power_levels` and `m.room.create` that rules a call. `creators` have every power (room version 12). */
export interface PowerLevels {
  readonly users: ReadonlyMap<UserId, number>;
  readonly usersDefault: number;
  readonly stateDefault: number;
  readonly kick: number;
  readonly events: ReadonlyMap<string, number>;
  readonly creators: ReadonlySet<UserId>;
}

/** What a session may do; mirrors LiveKit's ParticipantPermission. An empty `sources` allows every source. */
export interface Permissions {
  readonly mayPublish: boolean;
  readonly maySubscribe: boolean;
  readonly mayPublishData: boolean;
  readonly mayUpdateMetadata: boolean;
  readonly sources: readonly TrackSource[];
}

export function powerOf(user: UserId, levels: PowerLevels): number {
  return levels.creators.has(user) ? Infinity : (levels.users.get(user) ?? levels.usersDefault);
}

/** The level needed to send a state event of this type. */
export function levelToSend(type: string, levels: PowerLevels): number {
  return levels.events.get(type) ?? levels.stateDefault;
}

export function roleOf(user: UserId, levels: PowerLevels): Role {
  const power = powerOf(user, levels);
  if (power >= levelToSend('m.room.power_levels', levels)) return 'owner';
  return power >= levels.kick ? 'moderator' : 'participant';
}

/** Every role may speak, show and share; roles differ in what they may do to others. */
export const memberPermissions: Permissions = {
  mayPublish: true,
  maySubscribe: true,
  mayPublishData: true,
  mayUpdateMetadata: true,
  sources: ['camera', 'microphone', 'screenShare', 'screenShareAudio'],
};
