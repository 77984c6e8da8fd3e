// Owns the checks of the call page's small rules: refusals, devices, shortcuts, durations, arrivals, waits, answers of the bridge.
import assert from 'node:assert/strict';
import { safeParse } from 'zod/mini';
import { isPassing, refusalMessage, refusalOf } from '../../src/web/api/refusal.ts';
import { pairingStatusSchema, ticketSchema } from '../../src/web/api/schemas.ts';
import { backOffMs, resumeDelayMs } from '../../src/web/call/back-off.ts';
import { createTranslate } from '../../src/web/i18n/language.ts';
import { deviceFault, deviceFaultMessage } from '../../src/web/media/device-error.ts';
import { deviceName } from '../../src/web/media/device-name.ts';
import { loudness } from '../../src/web/media/loudness.ts';
import { createArrivals } from '../../src/web/stage/arrivals.ts';
import { elapsedText } from '../../src/web/stage/elapsed.ts';
import { type KeyPress, shortcutFor } from '../../src/web/stage/shortcuts.ts';

const english = createTranslate('en');

describe('web: refusals', () => {
  it('keeps code, reference and wait of the bridge\'s answer', () => {
    assert.deepEqual(refusalOf(403, { errcode: 'M_FORBIDDEN', error: 'no', ref: 'k7' }), { code: 'forbidden', detail: 'no', reference: 'k7' });
    assert.deepEqual(refusalOf(429, { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 1500 }), { code: 'limited', detail: 'HTTP 429', retryAfterMs: 1500 });
    assert.equal(refusalOf(401, undefined).code, 'unauthorized');
    assert.equal(refusalOf(502, undefined).code, 'unavailable');
    assert.equal(refusalOf(418, undefined).code, 'unexpected');
  });

  it('does not tell a missing call from a missing membership', () => {
    const refusal = refusalOf(403, { errcode: 'M_FORBIDDEN' });
    assert.match(english(refusalMessage(refusal)), /not in this room, or there is no such call/);
  });

  it('tries again by itself only after what may pass', () => {
    const codes = ['unauthorized', 'signed-out', 'forbidden', 'limited', 'unavailable', 'network', 'media', 'no-identity', 'unexpected'] as const;
    assert.deepEqual(codes.filter((code) => isPassing({ code })), ['limited', 'unavailable', 'network', 'media']);
  });
});

describe('web: answers of the bridge', () => {
  const ticket = { url: 'wss://x', jwt: 'j', identity: '@a:x:D', user_id: '@a:x', display_name: 'A', role: 'owner', language: 'fr' };

  it('takes a ticket, with or without the room\'s name, and leaves out what it does not know', () => {
    const call = { started_at: 1_700_000_000_000 };
    assert.deepEqual(safeParse(ticketSchema, { ...ticket, call: { ...call, started_by: '@a:x' }, more: 1 }).data, { ...ticket, call });
    assert.equal(safeParse(ticketSchema, { ...ticket, call, room_name: 'Point' }).data?.room_name, 'Point');
  });

  it('refuses a ticket without a token and a pairing without a sign-in', () => {
    assert.equal(safeParse(ticketSchema, { ...ticket, jwt: undefined, call: { started_at: 0 } }).success, false);
    assert.equal(safeParse(pairingStatusSchema, { status: 'paired', user_id: '@a:x' }).success, false);
    assert.equal(safeParse(pairingStatusSchema, { status: 'waiting' }).success, true);
  });
});

describe('web: devices', () => {
  it('tells what is wrong with a device', () => {
    assert.deepEqual(
      ['NotAllowedError', 'NotFoundError', 'OverconstrainedError', 'NotReadableError', 'InsecureContextError', 'TypeError', ''].map(deviceFault),
      ['denied', 'missing', 'missing', 'busy', 'insecure', 'unavailable', 'unavailable'],
    );
    assert.match(english(deviceFaultMessage('camera', 'missing')), /No camera was found/);
  });

  it('names a device without its hardware number, or by its kind', () => {
    assert.equal(deviceName(english, 'camera', 'Logitech BRIO (046d:085e)', 0), 'Logitech BRIO');
    assert.equal(deviceName(english, 'microphone', '', 1), 'Microphone 2');
  });

  it('measures loudness from silence to full scale', () => {
    assert.equal(loudness(new Float32Array(512)), 0);
    assert.equal(loudness(new Float32Array(512).fill(1)), 1);
    const quiet = loudness(new Float32Array(512).fill(0.01));
    assert.ok(quiet > 0.3 && quiet < 0.4, String(quiet));
    assert.equal(loudness(new Float32Array(0)), 0);
  });
});

describe('web: the keyboard', () => {
  const press = (change: Partial<KeyPress>) => shortcutFor({ key: 'm', ctrlKey: false, altKey: false, metaKey: false, repeat: false, target: 'BODY', ...change });

  it('knows its keys, in capitals too', () => {
    assert.deepEqual(['m', 'V', 's', 'p', 'l', '?', 'x', 'constructor'].map((key) => press({ key })), ['microphone', 'camera', 'share', 'people', 'layout', 'help', undefined, undefined]);
  });

  it('leaves the browser\'s keys, typing and a held key alone', () => {
    for (const change of [{ ctrlKey: true }, { altKey: true }, { metaKey: true }, { repeat: true }, { target: 'INPUT' }, { target: 'SELECT' }]) assert.equal(press(change), undefined);
  });
});

describe('web: time', () => {
  it('reads durations', () => {
    assert.deepEqual([-5000, 0, 65_999, 3_729_000].map(elapsedText), ['0:00', '0:00', '1:05', '1:02:09']);
  });

  it('waits longer each time, spread by a quarter, never less than asked', () => {
    assert.deepEqual([0, 1, 5, 50].map((attempt) => backOffMs(attempt, 0.5)), [400, 800, 3000, 5000]);
    assert.deepEqual([backOffMs(5, 0), backOffMs(5, 0.999_999)], [2250, 3750]);
    for (const random of [0, 0.5, 0.99]) assert.ok(backOffMs(0, random, 7000) >= 7000);
  });

  it('gives the ticket in hand a few quick attempts, then asks for another', () => {
    const delays = [0, 1, 2, 3, 4, 5, 6].map((count) => resumeDelayMs(count, 0.5));
    assert.deepEqual(delays, [150, 300, 700, 1200, 1800, 2500, null]);
  });
});

describe('web: arrivals', () => {
  function listen() {
    const said: string[] = [];
    const pending = new Set<{ readonly run: () => void; readonly atMs: number }>();
    let nowMs = 0;
    const arrivals = createArrivals({
      joined: (identity) => said.push(`+${identity}`),
      left: (name) => said.push(`-${name}`),
      later(run, ms) {
        const timer = { run, atMs: nowMs + ms };
        pending.add(timer);
        return () => pending.delete(timer);
      },
    });
    const timePasses = (ms = 60_000): void => {
      nowMs += ms;
      for (const timer of pending) {
        if (timer.atMs > nowMs) continue;
        pending.delete(timer);
        timer.run();
      }
    };
    return { said, arrivals, timePasses, pending };
  }

  it('says who comes, and who went once they stay away', () => {
    const { said, arrivals, timePasses } = listen();
    arrivals.onConnected(['ann']);
    arrivals.onJoined('bob');
    arrivals.onLeft('ann', 'Ann');
    assert.deepEqual(said, ['+bob']);
    timePasses();
    assert.deepEqual(said, ['+bob', '-Ann']);
  });

  it('says nothing of one who is back within moments', () => {
    const { said, arrivals, timePasses } = listen();
    arrivals.onConnected(['ann']);
    arrivals.onLeft('ann', 'Ann');
    arrivals.onJoined('ann');
    timePasses();
    assert.deepEqual(said, []);
  });

  it('says nothing when all come back after this page lost its connection', () => {
    const { said, arrivals, timePasses } = listen();
    arrivals.onConnected(['ann', 'bob']);
    arrivals.onConnectionLost();
    arrivals.onLeft('ann', 'Ann');
    timePasses(8000);
    arrivals.onConnected(['bob']);
    arrivals.onJoined('bob');
    timePasses(8000);
    arrivals.onJoined('ann');
    arrivals.onJoined('eve');
    timePasses();
    assert.deepEqual(said, ['+eve']);
  });

  it('forgets everything when disposed', () => {
    const { said, arrivals, timePasses, pending } = listen();
    arrivals.onLeft('ann', 'Ann');
    arrivals.dispose();
    timePasses();
    assert.deepEqual([said, pending.size], [[], 0]);
  });
});
