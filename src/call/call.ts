// Owns Call: what is true of one call at one moment, and its beginning.
import type { CallId, EventId, ParticipantId, RoomId, ServerName, Slug, UserId } from './ids.ts';
import type { CallEffect } from './messages.ts';
import type { Participant } from './participant.ts';

export interface Call {
  readonly id: CallId;
  readonly room: RoomId;
  readonly slug: Slug;
  readonly startedBy: UserId;
  /** The command that started it; undefined when somebody joined through a door. */
  readonly startEvent: EventId | undefined;
  readonly startedAtMs: number;
  readonly endedAtMs: number | undefined;
  readonly participants: ReadonlyMap<ParticipantId, Participant>;
  /** Everybody who came, with their organisation. */
  readonly attendance: ReadonlyMap<UserId, ServerName>;
  /** Since when nobody is in the call; undefined while somebody is. */
  readonly emptySinceMs: number | undefined;
  /** Neighbours between whom and us media do not pass at the moment. */
  readonly impaired: ReadonlySet<ServerName>;
  /** The neighbour whose bridge speaks in the room about this call; undefined: ours does. */
  readonly owner: ServerName | undefined;
  /** Grows each time another bridge takes over from an owner that was lost. */
  readonly term: number;
  /** The notice in the room, once it is posted. */
  readonly noticeId: EventId | undefined;
  /** Grows with every change that the notice should show. */
  readonly noticeRevision: number;
}

export interface Transition {
  readonly call: Call;
  readonly effects: readonly CallEffect[];
}

export function startCall(start: Pick<Call, 'id' | 'room' | 'slug' | 'startedBy' | 'startEvent' | 'startedAtMs' | 'owner' | 'emptySinceMs'>): Transition {
  const call: Call = {
    ...start,
    endedAtMs: undefined,
    participants: new Map(),
    attendance: new Map(),
    term: 0,
    impaired: new Set(),
    noticeId: undefined,
    noticeRevision: 1,
  };
  return { call, effects: [{ type: 'persist' }, { type: 'announce' }, { type: 'showWidget' }] };
}
