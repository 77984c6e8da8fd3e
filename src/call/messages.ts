// Owns the two unions of the domain: what happens to a call, and what must be done about it.
import type { CloseReason } from './close-reason.ts';
import type { EventId, ParticipantId, ServerName, TrackId, UserId } from './ids.ts';
import type { Participant } from './participant.ts';
import type { Role } from './roles.ts';
import type { Track } from './track.ts';

export type CallInput =
  | { readonly type: 'join'; readonly participant: Participant }
  | { readonly type: 'becameActive'; readonly participant: ParticipantId }
  | { readonly type: 'announceTrack'; readonly participant: ParticipantId; readonly track: Track }
  | { readonly type: 'publishTrack'; readonly participant: ParticipantId; readonly track: TrackId }
  | { readonly type: 'changeTrack'; readonly participant: ParticipantId; readonly track: TrackId; readonly change: Partial<Pick<Track, 'muted' | 'width' | 'height' | 'audioFeatures'>> }
  | { readonly type: 'removeTrack'; readonly participant: ParticipantId; readonly track: TrackId }
  | { readonly type: 'changeSelf'; readonly participant: ParticipantId; readonly name?: string; readonly metadata?: string; readonly attributes?: ReadonlyMap<string, string> }
  | { readonly type: 'changeRoles'; readonly roles: ReadonlyMap<UserId, Role> }
  | { readonly type: 'leave'; readonly participant: ParticipantId; readonly reason: CloseReason; readonly nowMs: number }
  | { readonly type: 'memberGone'; readonly user: UserId; readonly nowMs: number }
  /** Every connection is gone (worker dead, process restarted): people are awaited back. */
  | { readonly type: 'lose'; readonly reason: CloseReason; readonly nowMs: number }
  | { readonly type: 'end'; readonly nowMs: number }
  /** Everybody whom a neighbour has in this call: replaces what it announced before. */
  | { readonly type: 'peerPeople'; readonly peer: ServerName; readonly participants: readonly Participant[]; readonly nowMs: number }
  | { readonly type: 'peerPerson'; readonly peer: ServerName; readonly participant: Participant }
  | { readonly type: 'peerGone'; readonly peer: ServerName; readonly participant: ParticipantId; readonly reason: CloseReason; readonly nowMs: number }
  /** Whether media pass between a neighbour and us. */
  | { readonly type: 'peerPath'; readonly peer: ServerName; readonly passes: boolean }
  /** The call was started elsewhere before, or another bridge speaks for it now. */
  | { readonly type: 'adopt'; readonly owner: ServerName | undefined; readonly term: number; readonly startedBy: UserId; readonly startedAtMs: number }
  /** What the notice shows besides the call has changed (language, widget). */
  | { readonly type: 'refreshNotice' }
  | { readonly type: 'noticePosted'; readonly eventId: EventId }
  | { readonly type: 'tick'; readonly nowMs: number };

export type CallEffect =
  /** Save the call before anything is told to anybody. */
  | { readonly type: 'persist' }
  /** The room's notice no longer shows the truth. */
  | { readonly type: 'announce' }
  /** The room's widget must stand while a call runs and go when it has ended. */
  | { readonly type: 'showWidget' }
  | { readonly type: 'tellChanged'; readonly participants: readonly ParticipantId[] }
  | { readonly type: 'tellLeft'; readonly participants: readonly Participant[]; readonly reason: CloseReason }
  | { readonly type: 'closeSession'; readonly participant: ParticipantId; readonly reason: CloseReason };
