// Specifies the call: who is in it, what is told to whom, when it ends.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Call, Transition } from '../../src/call/call.ts';
import { nextDeadlineMs, transition } from '../../src/call/transition.ts';
import { isEventId, parse } from '../../src/call/ids.ts';
import type { CallInput } from '../../src/call/messages.ts';
import { peopleByOrganisation } from '../../src/call/people.ts';
import { alice, bob, callAfter, carol, participant, rules, started, track, userId } from '../support/builders.ts';
import { deepFreeze } from '../support/frozen.ts';

function apply(call: Call, input: CallInput): Transition {
  const result = transition(deepFreeze(call), input, rules);
  assert(result.ok, `${input.type} was refused: ${result.ok ? '' : result.error.detail}`);
  return result.value;
}

function refused(call: Call, input: CallInput): string {
  const result = transition(deepFreeze(call), input, rules);
  assert(!result.ok, `${input.type} was taken`);
  return result.error.code;
}

const types = ({ effects }: Transition): string[] => effects.map(({ type }) => type);

describe('call', () => {
  it('is saved and announced at its start', () => {
    assert.deepEqual(types(started()), ['persist', 'announce', 'showWidget']);
  });

  it('saves, announces and tells everybody of a newcomer', () => {
    const newcomer = participant(alice);
    const after = apply(callAfter(), { type: 'join', participant: newcomer });
    assert.deepEqual(after.effects, [{ type: 'persist' }, { type: 'announce' }, { type: 'tellChanged', participants: [newcomer.id] }]);
    assert.deepEqual([...after.call.participants.keys()], [newcomer.id]);
    assert.equal(after.call.emptySinceMs, undefined);
  });

  it('closes the session of the same identity before the new one appears', () => {
    const first = participant(alice);
    const second = participant(alice);
    const after = apply(callAfter({ type: 'join', participant: first }), { type: 'join', participant: second });
    assert.deepEqual(types(after), ['closeSession', 'tellLeft', 'persist', 'announce', 'tellChanged']);
    assert.deepEqual(after.effects[0], { type: 'closeSession', participant: first.id, reason: 'duplicateIdentity' });
    assert.deepEqual([...after.call.participants.keys()], [second.id]);
  });

  it('keeps two devices of one person apart, and counts one person', () => {
    const call = callAfter({ type: 'join', participant: participant(alice, { device: 'A' }) }, { type: 'join', participant: participant(alice, { device: 'B' }) }, { type: 'join', participant: participant(bob) });
    assert.equal(call.participants.size, 3);
    assert.deepEqual(peopleByOrganisation(call), [{ server: 'finances.example.org', count: 1 }, { server: 'interieur.example.org', count: 1 }]);
  });

  it('refuses one more than its limit, but lets somebody replace their own session', () => {
    const people = Array.from({ length: rules.maxParticipants }, (_, index) => participant(userId(`@user${index}:interieur.example.org`)));
    const call = callAfter(...people.map((each): CallInput => ({ type: 'join', participant: each })));
    assert.equal(refused(call, { type: 'join', participant: participant(bob) }), 'full');
    assert.equal(apply(call, { type: 'join', participant: participant(userId('@user3:interieur.example.org')) }).call.participants.size, rules.maxParticipants);
  });

  it('shows a track to others only once it is published', () => {
    const speaker = participant(alice);
    const camera = track();
    const announced = callAfter({ type: 'join', participant: speaker }, { type: 'announceTrack', participant: speaker.id, track: camera });
    const published = apply(announced, { type: 'publishTrack', participant: speaker.id, track: camera.id });
    assert.equal(announced.participants.get(speaker.id)?.tracks.get(camera.id)?.published, false);
    assert.equal(published.call.participants.get(speaker.id)?.tracks.get(camera.id)?.published, true);
    assert.deepEqual(published.effects, [{ type: 'tellChanged', participants: [speaker.id] }]);
  });

  it('refuses a source that is not granted, and more tracks than the limit', () => {
    const speaker = participant(alice, { permissions: { mayPublish: true, maySubscribe: true, mayPublishData: true, mayUpdateMetadata: false, sources: ['microphone'] } });
    const call = callAfter({ type: 'join', participant: speaker });
    assert.equal(refused(call, { type: 'announceTrack', participant: speaker.id, track: track({ source: 'camera' }) }), 'publishForbidden');
    const microphones = Array.from({ length: rules.maxTracksPerParticipant }, (): CallInput => ({ type: 'announceTrack', participant: speaker.id, track: track({ kind: 'audio', source: 'microphone' }) }));
    const busy = callAfter({ type: 'join', participant: speaker }, ...microphones);
    assert.equal(refused(busy, { type: 'announceTrack', participant: speaker.id, track: track({ kind: 'audio', source: 'microphone' }) }), 'limitExceeded');
    assert.equal(refused(call, { type: 'changeSelf', participant: speaker.id, metadata: 'x' }), 'publishForbidden');
  });

  it('merges attributes, deletes those set to nothing, and refuses what is too large', () => {
    const someone = participant(alice, { attributes: new Map([['kept', '1'], ['dropped', '2']]) });
    const call = callAfter({ type: 'join', participant: someone });
    const changed = apply(call, { type: 'changeSelf', participant: someone.id, attributes: new Map([['dropped', ''], ['new', '3']]) }).call.participants.get(someone.id);
    assert.deepEqual([...(changed?.attributes ?? [])], [['kept', '1'], ['new', '3']]);
    assert.equal(changed?.version, someone.version + 1);
    assert.equal(refused(call, { type: 'changeSelf', participant: someone.id, name: 'x'.repeat(257) }), 'limitExceeded');
    assert.equal(refused(call, { type: 'changeSelf', participant: someone.id, metadata: 'é'.repeat(256 * 1024 + 1) }), 'limitExceeded');
    assert.equal(refused(call, { type: 'changeSelf', participant: someone.id, attributes: new Map([['k', 'x'.repeat(65_536)]]) }), 'limitExceeded');
  });

  it('lets nobody change what the bridge says of them: user, organisation, role', () => {
    const said: readonly (readonly [string, string])[] = [['user_id', bob], ['organisation', 'Finance']];
    const someone = participant(bob, { attributes: new Map(said) });
    const call = callAfter({ type: 'join', participant: someone });
    for (const [key, value] of [['user_id', alice], ['organisation', ''], ['role', 'owner']] as const) {
      assert.equal(refused(call, { type: 'changeSelf', participant: someone.id, attributes: new Map([['hand', 'up'], [key, value]]) }), 'publishForbidden');
    }
    const wished = new Map<string, string>([...said, ['role', 'participant'], ['hand', 'up']]);
    const changed = apply(call, { type: 'changeSelf', participant: someone.id, attributes: wished }).call.participants.get(someone.id);
    assert.deepEqual([...(changed?.attributes ?? [])], [...said, ['hand', 'up']]);
  });

  it('cuts every session of somebody who is no longer in the room', () => {
    const laptop = participant(bob, { device: 'LAPTOP' });
    const phone = participant(bob, { device: 'PHONE' });
    const call = callAfter({ type: 'join', participant: laptop }, { type: 'join', participant: phone }, { type: 'join', participant: participant(alice) });
    const after = apply(call, { type: 'memberGone', user: bob, nowMs: 5000 });
    assert.deepEqual(after.effects.filter(({ type }) => type === 'closeSession'), [laptop, phone].map(({ id }) => ({ type: 'closeSession', participant: id, reason: 'membershipLost' })));
    assert.equal(after.call.participants.size, 1);
    assert.deepEqual(apply(after.call, { type: 'memberGone', user: bob, nowMs: 5000 }).effects, []);
  });

  it('tells of a new role once', () => {
    const someone = participant(bob);
    const call = callAfter({ type: 'join', participant: someone });
    const after = apply(call, { type: 'changeRoles', roles: new Map([[bob, 'moderator']]) });
    assert.equal(after.call.participants.get(someone.id)?.role, 'moderator');
    assert.deepEqual(after.effects, [{ type: 'tellChanged', participants: [someone.id] }]);
    assert.deepEqual(apply(after.call, { type: 'changeRoles', roles: new Map([[bob, 'moderator']]) }).effects, []);
  });

  it('ends some time after the last one left, and counts until then', () => {
    const someone = participant(alice);
    const call = callAfter({ type: 'join', participant: someone }, { type: 'leave', participant: someone.id, reason: 'clientLeft', nowMs: 10_000 });
    assert.equal(nextDeadlineMs(call, rules), 70_000);
    assert.deepEqual(apply(call, { type: 'tick', nowMs: 69_999 }).effects, []);
    const ended = apply(call, { type: 'tick', nowMs: 70_000 });
    assert.deepEqual(types(ended), ['persist', 'announce', 'showWidget']);
    assert.equal(ended.call.endedAtMs, 10_000);
    assert.equal(nextDeadlineMs(ended.call, rules), undefined);
    assert.equal(refused(ended.call, { type: 'join', participant: someone }), 'callEnded');
  });

  it('waits longer for a first participant', () => {
    assert.equal(nextDeadlineMs(callAfter(), rules), rules.neverJoinedTimeoutMs);
  });

  it('keeps the place of people whose connection broke with the bridge, then lets them go', () => {
    const back = participant(alice);
    const away = participant(bob);
    const call = apply(callAfter({ type: 'join', participant: back }, { type: 'join', participant: away }), { type: 'lose', reason: 'bridgeStopping', nowMs: 20_000 });
    assert.deepEqual(types(call), ['closeSession', 'closeSession', 'persist']);
    assert.equal(call.call.participants.get(away.id)?.state, 'lost');
    const returned = apply(call.call, { type: 'join', participant: participant(alice, { joinedAtMs: 25_000 }) }).call;
    assert.equal(returned.participants.size, 2);
    assert.equal(nextDeadlineMs(returned, rules), 50_000);
    const after = apply(returned, { type: 'tick', nowMs: 50_000 });
    assert.deepEqual(peopleByOrganisation(after.call), [{ server: 'interieur.example.org', count: 1 }]);
  });

  it('closes everybody at its end and counts everybody who came', () => {
    const call = callAfter(...[alice, bob, carol].map((user): CallInput => ({ type: 'join', participant: participant(user) })), { type: 'memberGone', user: carol, nowMs: 3000 });
    const ended = apply(call, { type: 'end', nowMs: 90_000 });
    assert.deepEqual(types(ended), ['closeSession', 'closeSession', 'persist', 'announce', 'showWidget']);
    assert.deepEqual(peopleByOrganisation(ended.call), [{ server: 'interieur.example.org', count: 2 }, { server: 'finances.example.org', count: 1 }]);
  });

  it('remembers its notice even after the end', () => {
    const ended = callAfter({ type: 'end', nowMs: 1000 });
    const posted = apply(ended, { type: 'noticePosted', eventId: parse(isEventId, '$notice', 'event id') });
    assert.equal(posted.call.noticeId, '$notice');
    assert.deepEqual(types(posted), ['persist']);
    assert.equal(refused(ended, { type: 'tick', nowMs: 2000 }), 'callEnded');
  });

  it('holds its invariants whatever happens', () => {
    const users = [alice, bob, carol];
    const anyInput = fc.oneof(
      fc.record({ kind: fc.constant('join' as const), user: fc.constantFrom(...users), device: fc.constantFrom('A', 'B') }),
      fc.record({ kind: fc.constantFrom('leave' as const, 'active' as const, 'announce' as const, 'publish' as const), index: fc.nat(5) }),
      fc.record({ kind: fc.constant('gone' as const), user: fc.constantFrom(...users) }),
      fc.record({ kind: fc.constantFrom('lose' as const, 'tick' as const) }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(anyInput, fc.nat(40_000)), { maxLength: 40 }), (steps) => {
        let { call } = started();
        let nowMs = 0;
        for (const [step, passedMs] of steps) {
          nowMs += passedMs;
          const input = toInput(step, call, nowMs);
          if (input === undefined) continue;
          const result = transition(deepFreeze(call), input, rules);
          if (!result.ok) continue;
          const before = call;
          ({ call } = result.value);
          const identities = [...call.participants.values()].map(({ identity }) => identity);
          assert.equal(new Set(identities).size, identities.length, 'one session per identity');
          assert.equal(call.participants.size === 0, call.emptySinceMs !== undefined, 'empty exactly while nobody is in');
          assert(call.endedAtMs === undefined || call.participants.size === 0, 'nobody is in an ended call');
          const changed = before.participants.size !== call.participants.size || before.endedAtMs !== call.endedAtMs;
          if (changed) assert(result.value.effects.some(({ type }) => type === 'persist'), 'who is in is saved');
          if (changed) assert(call.noticeRevision > before.noticeRevision, 'who is in is announced');
        }
      }),
    );
  });
});

function toInput(step: { kind: string; user?: typeof alice; device?: string; index?: number }, call: Call, nowMs: number): CallInput | undefined {
  const someone = [...call.participants.values()][step.index ?? 0];
  if (step.kind === 'join' && step.user !== undefined) return { type: 'join', participant: participant(step.user, { device: step.device ?? 'A', joinedAtMs: nowMs }) };
  if (step.kind === 'gone' && step.user !== undefined) return { type: 'memberGone', user: step.user, nowMs };
  if (step.kind === 'lose') return { type: 'lose', reason: 'mediaLost', nowMs };
  if (step.kind === 'tick') return { type: 'tick', nowMs };
  if (someone === undefined) return undefined;
  if (step.kind === 'leave') return { type: 'leave', participant: someone.id, reason: 'clientLeft', nowMs };
  if (step.kind === 'active') return { type: 'becameActive', participant: someone.id };
  if (step.kind === 'announce') return { type: 'announceTrack', participant: someone.id, track: track() };
  const [first] = someone.tracks.keys();
  return first === undefined ? undefined : { type: 'publishTrack', participant: someone.id, track: first };
}
