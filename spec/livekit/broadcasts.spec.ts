// What one client is told of speakers, connections and the number of people: changes only.
import assert from 'node:assert/strict';
import { ConnectionQuality as WireQuality } from '@livekit/protocol';
import type { ConnectionQuality } from '../../src/control/ports/session.ts';
import { Broadcasts } from '../../src/livekit/broadcasts.ts';
import { judgeConnection } from '../../src/livekit/quality-report.ts';
import type { Outgoing } from '../../src/livekit/signal-socket.ts';
import { callId, participantId } from '../support/builders.ts';
import { virtualClock } from '../support/clocks.ts';

const alice = participantId('PA_alice');
const bob = participantId('PA_bobby');

function given() {
  const sent: Outgoing[] = [];
  const clock = virtualClock();
  const broadcasts = new Broadcasts({ call: { callId: callId('C_abcdefgh'), startedAtMs: 0 }, count: 2, send: (message) => void sent.push(message), clock });
  const speakers = () => sent.flatMap((message) => (message.case === 'speakersChanged' ? [message.value.speakers.map(({ sid, level, active }) => [sid, level, active])] : []));
  const qualities = () => sent.flatMap((message) => (message.case === 'connectionQuality' ? message.value.updates.map(({ participantSid, quality }) => [participantSid, quality]) : []));
  const counts = () => sent.flatMap((message) => (message.case === 'roomUpdate' ? [message.value.room?.numParticipants] : []));
  return { broadcasts, clock, speakers, qualities, counts };
}

describe('What a client is told', () => {
  it('of speakers: who began, whose level changed, and once who stopped', () => {
    const { broadcasts, speakers } = given();
    broadcasts.speakers([{ participant: alice, level: 0.5 }, { participant: bob, level: 0.25 }]);
    broadcasts.speakers([{ participant: alice, level: 0.5 }, { participant: bob, level: 0.25 }]);
    broadcasts.speakers([{ participant: bob, level: 0.5 }]);
    broadcasts.speakers([]);
    broadcasts.speakers([]);
    assert.deepEqual(speakers(), [
      [[alice, 0.5, true], [bob, 0.25, true]],
      [[bob, 0.5, true], [alice, 0, false]],
      [[bob, 0, false]],
    ]);
  });

  it('of connections: each level once, until it changes or the person comes anew', () => {
    const { broadcasts, qualities } = given();
    const quality = (level: ConnectionQuality['level']): ConnectionQuality => ({ participant: alice, level, score: 5 });
    for (const level of ['excellent', 'excellent', 'poor', 'good'] as const) broadcasts.quality(quality(level));
    broadcasts.forget(alice);
    broadcasts.quality(quality('good'));
    assert.deepEqual(qualities(), [WireQuality.EXCELLENT, WireQuality.POOR, WireQuality.GOOD, WireQuality.GOOD].map((level) => [alice, level]));
  });

  it('of the number of people: once for changes that come together, not at all when nothing is left of them', () => {
    const { broadcasts, clock, counts } = given();
    broadcasts.count(3);
    broadcasts.count(4);
    clock.advance(1_000);
    broadcasts.count(5);
    broadcasts.count(4);
    clock.advance(1_000);
    assert.deepEqual(counts(), [4]);
    broadcasts.count(9);
    broadcasts.close();
    clock.advance(1_000);
    assert.deepEqual(counts(), [4]);
  });

  it('in words of three: the worse direction decides, silence is no fault', () => {
    const judged = (uplinkScore: number | undefined, downlinkScore: number | undefined) => judgeConnection(alice, { uplinkScore, downlinkScore }).level;
    assert.deepEqual([judged(10, 8), judged(7, 10), judged(10, 4), judged(undefined, undefined), judged(undefined, 0)], ['excellent', 'good', 'poor', 'excellent', 'poor']);
  });
});
