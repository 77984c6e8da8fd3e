// Owns Participant: one connection of one person to a call.
import type { ParticipantId, ServerName, TrackId, UserId } from './ids.ts';
import type { Permissions, Role } from './roles.ts';
import type { Track } from './track.ts';

/** What the client program said of itself; mirrored to the others, who choose their protocol features by it. */
export interface ClientProfile {
  readonly clientProtocol: number;
  readonly capabilities: readonly number[];
}

/** Who somebody is and what they may do, as admitted at a door and carried by the ticket. */
export interface Identity {
  /** Unique per call: a second session with the same identity replaces the first. `@user:server:DEVICE` (MSC4195 legacy form). */
  readonly identity: string;
  readonly user: UserId;
  readonly server: ServerName;
  readonly device: string;
  readonly name: string;
  readonly role: Role;
  readonly permissions: Permissions;
}

export interface Participant extends Identity {
  readonly id: ParticipantId;
  /** The neighbour to whose bridge this person is connected; undefined: to ours. */
  readonly via: ServerName | undefined;
  readonly joinedAtMs: number;
  /** joining: signalling only; active: media transport up; lost: of a bridge process that ended, awaited back. */
  readonly state: 'joining' | 'active' | 'lost';
  /** Since when, in state lost. */
  readonly lostAtMs?: number;
  readonly metadata: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly tracks: ReadonlyMap<TrackId, Track>;
  readonly profile: ClientProfile;
  /** Grows with every change: clients drop older states of the same participant. */
  readonly version: number;
}

/** The tracks that others may see. */
export function publishedTracks(participant: Participant): readonly Track[] {
  return [...participant.tracks.values()].filter((track) => track.published);
}
