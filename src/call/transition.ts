// Owns transition: the one function in which anything happens to a call. Synchronous, without the outside world.
import type { Call, Transition } from './call.ts';
import { changeParticipant, changeTrack, lose, remove, removeAll } from './changes.ts';
import { callError, type CallError } from './errors.ts';
import type { CallInput } from './messages.ts';
import type { Participant } from './participant.ts';
import { adopt, countVia, peerPath, peerPeople, peerPerson } from './peers.ts';
import { attestedAttributes, fits, type CallRules } from './rules.ts';
import { err, ok, type Result } from '../util/result.ts';

/** Post: the same input given twice changes nothing the second time. An ended call refuses everything but what concerns its notice. */
export function transition(call: Call, input: CallInput, rules: CallRules): Result<Transition, CallError> {
  if (input.type === 'noticePosted') return ok({ call: { ...call, noticeId: input.eventId }, effects: [{ type: 'persist' }] });
  if (call.endedAtMs !== undefined) return err(callError('callEnded', 'the call has ended'));
  switch (input.type) {
    case 'join':
      return join(call, input.participant, rules);
    case 'becameActive':
      return changeParticipant(call, input.participant, (participant) => ok(participant.state === 'active' ? participant : { ...participant, state: 'active' }));
    case 'announceTrack':
      return announceTrack(call, input, rules);
    case 'publishTrack':
      return changeTrack(call, input, (track) => ({ ...track, published: true }));
    case 'changeTrack':
      return changeTrack(call, input, (track) => ({ ...track, ...input.change }));
    case 'removeTrack':
      return changeParticipant(call, input.participant, (participant) => {
        if (!participant.tracks.has(input.track)) return ok(participant);
        return ok({ ...participant, tracks: new Map([...participant.tracks].filter(([id]) => id !== input.track)) });
      });
    case 'changeSelf':
      return changeSelf(call, input);
    case 'changeRoles':
      return ok(changeRoles(call, input.roles));
    case 'leave':
      return ok(remove(call, (participant) => participant.id === input.participant, input));
    case 'memberGone':
      return ok(remove(call, (participant) => participant.user === input.user, { reason: 'membershipLost', nowMs: input.nowMs, closing: true }));
    case 'lose':
      return ok(lose(call, input));
    case 'peerPeople':
      return peerPeople(call, input, rules);
    case 'peerPerson':
      return peerPerson(call, input.peer, input.participant, rules);
    case 'peerGone':
      return ok(remove(call, ({ id, via }) => id === input.participant && via === input.peer, input));
    case 'peerPath':
      return ok(peerPath(call, input.peer, input.passes));
    case 'adopt':
      return ok(adopt(call, input));
    case 'refreshNotice':
      return ok({ call: { ...call, noticeRevision: call.noticeRevision + 1 }, effects: [{ type: 'announce' }] });
    case 'end':
      return ok(end(call, input.nowMs));
    case 'tick':
      return ok(tick(call, input.nowMs, rules));
    default:
      throw new Error(`unknown input: ${JSON.stringify(input satisfies never)}`);
  }
}

/** When `tick` has something to do next, if nothing else happens before. */
export function nextDeadlineMs(call: Call, rules: CallRules): number | undefined {
  if (call.endedAtMs !== undefined) return undefined;
  if (call.emptySinceMs !== undefined) return call.emptySinceMs + emptyTimeoutMs(call, rules);
  const lost = [...call.participants.values()].flatMap((participant) => (participant.lostAtMs === undefined ? [] : [participant.lostAtMs + rules.lostGraceMs]));
  return lost.length > 0 ? Math.min(...lost) : undefined;
}

function emptyTimeoutMs(call: Call, rules: CallRules): number {
  return call.attendance.size === 0 ? rules.neverJoinedTimeoutMs : rules.emptyTimeoutMs;
}

function join(call: Call, newcomer: Participant, rules: CallRules): Result<Transition, CallError> {
  const replaced = [...call.participants.values()].filter((other) => other.identity === newcomer.identity);
  // Only ours count: a neighbour's people cannot take our people's places.
  const present = countVia(call, undefined) - replaced.filter(({ via }) => via === undefined).length;
  if (present >= rules.maxParticipants) return err(callError('full', `the call has ${present} participants here`));
  const before = remove(call, (other) => other.identity === newcomer.identity, { reason: 'duplicateIdentity', nowMs: newcomer.joinedAtMs, closing: true });
  const joined: Call = {
    ...before.call,
    participants: new Map(before.call.participants).set(newcomer.id, newcomer),
    attendance: new Map(call.attendance).set(newcomer.user, newcomer.server),
    emptySinceMs: undefined,
    noticeRevision: call.noticeRevision + 1,
  };
  return ok({
    call: joined,
    effects: [...before.effects.filter((effect) => effect.type === 'closeSession' || effect.type === 'tellLeft'), { type: 'persist' }, { type: 'announce' }, { type: 'tellChanged', participants: [newcomer.id] }],
  });
}

function announceTrack(call: Call, input: Extract<CallInput, { type: 'announceTrack' }>, rules: CallRules): Result<Transition, CallError> {
  return changeParticipant(call, input.participant, (participant) => {
    const { permissions } = participant;
    const allowed = permissions.mayPublish && (permissions.sources.length === 0 || permissions.sources.includes(input.track.source));
    if (!allowed) return err(callError('publishForbidden', `${participant.identity} may not publish ${input.track.source}`));
    if (participant.tracks.size >= rules.maxTracksPerParticipant) return err(callError('limitExceeded', `${participant.tracks.size} tracks are published already`));
    return ok({ ...participant, tracks: new Map(participant.tracks).set(input.track.id, input.track) });
  });
}

function changeSelf(call: Call, input: Extract<CallInput, { type: 'changeSelf' }>): Result<Transition, CallError> {
  return changeParticipant(call, input.participant, (participant) => {
    if (!participant.permissions.mayUpdateMetadata) return err(callError('publishForbidden', `${participant.identity} may not change its metadata`));
    const attested = new Map([...participant.attributes, ['role', participant.role]]);
    const wished = [...(input.attributes ?? [])];
    // Who hands on all attributes as they are changes none of them.
    const claimed = wished.find(([key, value]) => attestedAttributes.has(key) && attested.get(key) !== value);
    if (claimed !== undefined) return err(callError('publishForbidden', `${participant.identity} may not change ${claimed[0]}`));
    const merged = new Map([...participant.attributes, ...wished.filter(([key]) => !attestedAttributes.has(key))]);
    const attributes = new Map([...merged].filter(([, value]) => value !== ''));
    const changed: Participant = { ...participant, name: input.name ?? participant.name, metadata: input.metadata ?? participant.metadata, attributes };
    const tooLarge = fits(changed);
    return tooLarge === undefined ? ok(changed) : err(callError('limitExceeded', tooLarge));
  });
}

function changeRoles(call: Call, roles: Extract<CallInput, { type: 'changeRoles' }>['roles']): Transition {
  const changed = [...call.participants.values()].flatMap((participant) => {
    const role = roles.get(participant.user);
    return role === undefined || role === participant.role ? [] : [{ ...participant, role, version: participant.version + 1 }];
  });
  if (changed.length === 0) return { call, effects: [] };
  const participants = new Map(call.participants);
  for (const participant of changed) participants.set(participant.id, participant);
  return { call: { ...call, participants }, effects: [{ type: 'tellChanged', participants: changed.map(({ id }) => id) }] };
}

function end(call: Call, nowMs: number): Transition {
  const emptied = removeAll(call, 'callEnded', nowMs);
  return {
    call: { ...emptied.call, endedAtMs: nowMs, noticeRevision: call.noticeRevision + 1 },
    effects: [...emptied.effects.filter(({ type }) => type === 'closeSession'), { type: 'persist' }, { type: 'announce' }, { type: 'showWidget' }],
  };
}

function tick(call: Call, nowMs: number, rules: CallRules): Transition {
  const gone = remove(call, ({ lostAtMs }) => lostAtMs !== undefined && lostAtMs + rules.lostGraceMs <= nowMs, { reason: 'connectionLost', nowMs, closing: false });
  const { emptySinceMs } = gone.call;
  if (emptySinceMs === undefined || emptySinceMs + emptyTimeoutMs(gone.call, rules) > nowMs) return gone;
  // The summary counts to the moment when the last one left, not to the end of the wait.
  const ended = end(gone.call, emptySinceMs);
  return { call: ended.call, effects: [...gone.effects, ...ended.effects] };
}
