// Owns what neighbours do to a call: the people they announce, and whose bridge speaks for it.
import type { Call, Transition } from './call.ts';
import { remove } from './changes.ts';
import { callError, type CallError } from './errors.ts';
import type { ServerName, UserId } from './ids.ts';
import type { CallEffect, CallInput } from './messages.ts';
import type { Participant } from './participant.ts';
import type { CallRules } from './rules.ts';
import { err, ok, type Result } from '../util/result.ts';

/** How many came by way of that neighbour; undefined: to our own bridge. */
export function countVia(call: Call, peer: ServerName | undefined): number {
  return [...call.participants.values()].filter(({ via }) => via === peer).length;
}

/** New or changed. Refused: full; forbidden, when the id is that of somebody who came another way. */
export function peerPerson(call: Call, peer: ServerName, announced: Participant, rules: CallRules): Result<Transition, CallError> {
  const known = call.participants.get(announced.id);
  if (known !== undefined && known.via !== peer && known.state !== 'lost') return err(callError('forbidden', `${peer} announced ${announced.id}, who is not its own`));
  if (known === undefined && countVia(call, peer) >= rules.maxParticipants) return err(callError('full', `${peer} has ${rules.maxParticipants} participants in the call`));
  const arrives = known === undefined || known.state === 'lost';
  const participants = new Map(call.participants).set(announced.id, { ...announced, via: peer, version: (known?.version ?? 0) + 1 });
  const told: CallEffect = { type: 'tellChanged', participants: [announced.id] };
  if (!arrives) return ok({ call: { ...call, participants }, effects: [told] });
  return ok({
    call: { ...call, participants, attendance: new Map(call.attendance).set(announced.user, announced.server), emptySinceMs: undefined, noticeRevision: call.noticeRevision + 1 },
    effects: [{ type: 'persist' }, { type: 'announce' }, told],
  });
}

/** Who is no longer announced has left; who is too many is left out. */
export function peerPeople(call: Call, { peer, participants, nowMs }: Extract<CallInput, { type: 'peerPeople' }>, rules: CallRules): Result<Transition, CallError> {
  const announced = new Set(participants.map(({ id }) => id));
  const gone = remove(call, ({ id, via }) => via === peer && !announced.has(id), { reason: 'connectionLost', nowMs });
  let now: Call = gone.call;
  const effects = [...gone.effects];
  for (const participant of participants) {
    const added = peerPerson(now, peer, participant, rules);
    if (!added.ok) continue;
    now = added.value.call;
    effects.push(...added.value.effects);
  }
  return ok({ call: now, effects });
}

export function peerPath(call: Call, peer: ServerName, passes: boolean): Transition {
  if (call.impaired.has(peer) === !passes) return { call, effects: [] };
  const impaired = new Set(call.impaired);
  if (passes) impaired.delete(peer);
  else impaired.add(peer);
  return { call: { ...call, impaired, noticeRevision: call.noticeRevision + 1 }, effects: [{ type: 'persist' }, { type: 'announce' }] };
}

/** What rules where two bridges tell of a call differently. */
export interface CallClaim {
  readonly startedAtMs: number;
  readonly startedBy: UserId;
  readonly owner: ServerName;
  readonly term: number;
}

/** Post: the call has the owner, starter and start of the claim. */
export function adopt(call: Call, { owner, term, startedBy, startedAtMs }: Extract<CallInput, { type: 'adopt' }>): Transition {
  if (call.owner === owner && call.term === term && call.startedBy === startedBy && call.startedAtMs === startedAtMs) return { call, effects: [] };
  const adopted = { ...call, owner, term, startedBy, startedAtMs, noticeRevision: call.noticeRevision + 1 };
  // Who speaks from now on says what is true; who has spoken before says who speaks now.
  return { call: adopted, effects: [{ type: 'persist' }, { type: 'announce' }, { type: 'showWidget' }] };
}

/** Negative: the first rules. The older call; of one call the later term, then the smaller server name. */
export function compareClaims(a: CallClaim, b: CallClaim): number {
  const sameCall = a.startedAtMs === b.startedAtMs && a.startedBy === b.startedBy;
  if (!sameCall && a.startedAtMs !== b.startedAtMs) return a.startedAtMs - b.startedAtMs;
  return (sameCall ? b.term - a.term : 0) || (a.owner < b.owner ? -1 : a.owner > b.owner ? 1 : 0);
}
