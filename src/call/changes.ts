// Owns the small steps that transition is made of: change or remove participants, and what follows from it.
import type { Call, Transition } from './call.ts';
import type { CloseReason } from './close-reason.ts';
import { callError, type CallError } from './errors.ts';
import type { ParticipantId, TrackId } from './ids.ts';
import type { CallEffect } from './messages.ts';
import type { Participant } from './participant.ts';
import type { Track } from './track.ts';
import { err, ok, type Result } from '../util/result.ts';

/** Applies `change` to one participant; the same object back means: nothing to tell. */
export function changeParticipant(call: Call, id: ParticipantId, change: (participant: Participant) => Result<Participant, CallError>): Result<Transition, CallError> {
  const participant = call.participants.get(id);
  if (participant === undefined) return err(callError('callEnded', `participant ${id} is not in the call`));
  const changed = change(participant);
  if (!changed.ok) return changed;
  if (changed.value === participant) return ok({ call, effects: [] });
  const participants = new Map(call.participants).set(id, { ...changed.value, version: participant.version + 1 });
  return ok({ call: { ...call, participants }, effects: [{ type: 'tellChanged', participants: [id] }] });
}

export function changeTrack(call: Call, at: { readonly participant: ParticipantId; readonly track: TrackId }, change: (track: Track) => Track): Result<Transition, CallError> {
  return changeParticipant(call, at.participant, (participant) => {
    const track = participant.tracks.get(at.track);
    if (track === undefined) return err(callError('trackUnknown', `no track ${at.track}`));
    return ok({ ...participant, tracks: new Map(participant.tracks).set(track.id, change(track)) });
  });
}

interface Departure {
  readonly reason: CloseReason;
  readonly nowMs: number;
  /** True: their sessions must be closed; false: they are closed already. */
  readonly closing?: boolean;
}

export function remove(call: Call, leaves: (participant: Participant) => boolean, { reason, nowMs, closing = false }: Departure): Transition {
  const left = [...call.participants.values()].filter(leaves);
  if (left.length === 0) return { call, effects: [] };
  const participants = new Map([...call.participants].filter(([, participant]) => !leaves(participant)));
  return {
    call: {
      ...call,
      participants,
      emptySinceMs: participants.size === 0 ? nowMs : undefined,
      noticeRevision: call.noticeRevision + 1,
    },
    effects: [
      ...(closing ? left.map(({ id }): CallEffect => ({ type: 'closeSession', participant: id, reason })) : []),
      { type: 'persist' },
      { type: 'announce' },
      { type: 'tellLeft', participants: left, reason },
    ],
  };
}

export function removeAll(call: Call, reason: CloseReason, nowMs: number): Transition {
  return remove(call, () => true, { reason, nowMs, closing: true });
}

/** Their connections are gone with a worker or a process: they keep their place for a grace period and are expected back. */
export function lose(call: Call, { reason, nowMs }: { readonly reason: CloseReason; readonly nowMs: number }): Transition {
  const connected = [...call.participants.values()].filter(({ state }) => state !== 'lost');
  const participants = new Map(call.participants);
  for (const participant of connected) participants.set(participant.id, { ...participant, state: 'lost', lostAtMs: nowMs, tracks: new Map(), version: participant.version + 1 });
  return {
    call: { ...call, participants },
    effects: [...connected.map(({ id }): CallEffect => ({ type: 'closeSession', participant: id, reason })), ...(connected.length > 0 ? [{ type: 'persist' } as const] : [])],
  };
}
