// A session's clocks, on a clock that moves by hand.
import assert from 'node:assert/strict';
import { SessionTimers } from '../../src/livekit/session-timers.ts';
import { virtualClock, type VirtualClock } from '../support/clocks.ts';

describe('A session\'s timers', () => {
  let clock: VirtualClock;
  let timers: SessionTimers;
  let happened: string[];
  const since = (run: () => void): readonly string[] => {
    happened = [];
    run();
    return happened;
  };

  beforeEach(() => {
    clock = virtualClock();
    happened = [];
    timers = new SessionTimers(clock, {
      timedOut: (reason) => happened.push(reason),
      refreshTicket: () => happened.push('ticket'),
      measure: () => happened.push('measure'),
    }, { pingTimeoutSeconds: 15, joinTimeoutMs: 60_000 });
    timers.joined();
  });

  const keepAlive = (forMs: number): void => {
    for (let elapsedMs = 0; elapsedMs < forMs; elapsedMs += 5_000) {
      timers.heard();
      clock.advance(5_000);
    }
  };

  it('give a silent client fifteen seconds from its last message', () => {
    keepAlive(40_000);
    assert.deepEqual(since(() => clock.advance(9_900)).filter((what) => what !== 'measure'), []);
    assert.deepEqual(since(() => clock.advance(200)).filter((what) => what !== 'measure'), ['connectionLost']);
  });

  it('give the media a minute to come up', () => {
    keepAlive(55_000);
    assert.deepEqual(happened.filter((what) => what === 'joinTimeout'), []);
    assert.deepEqual(since(() => keepAlive(10_000)).filter((what) => what === 'joinTimeout'), ['joinTimeout']);
  });

  it('let it be once the media is up', () => {
    timers.mediaState('connected');
    assert.ok(!since(() => keepAlive(120_000)).includes('joinTimeout'));
  });

  it('give lost media ten seconds to come back', () => {
    timers.mediaState('connected');
    timers.mediaState('disconnected');
    keepAlive(5_000);
    timers.mediaState('connected');
    assert.ok(!since(() => keepAlive(30_000)).includes('connectionLost'));
    timers.mediaState('disconnected');
    keepAlive(5_000);
    timers.mediaState('closed');
    assert.deepEqual(since(() => keepAlive(5_000)).filter((what) => what !== 'measure'), ['connectionLost']);
  });

  it('ask for a fresh ticket every five minutes and measure every five seconds', () => {
    timers.mediaState('connected');
    keepAlive(900_000);
    assert.equal(happened.filter((what) => what === 'ticket').length, 3);
    assert.equal(happened.filter((what) => what === 'measure').length, 180);
  });

  it('stop for ever when closed', () => {
    timers.close();
    timers.mediaState('disconnected');
    assert.equal(clock.waiting(), 0);
    assert.deepEqual(since(() => clock.advance(3_600_000)), []);
  });
});
