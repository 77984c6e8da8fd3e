// Owns the proof that patience with a homeserver has its measure and its end.
import assert from 'node:assert/strict';
import { HomeserverError } from '../../src/matrix/homeserver-error.ts';
import { patiently } from '../../src/matrix/retry.ts';
import { pause } from '../../src/util/pause.ts';
import { virtualClock } from '../support/clocks.ts';

const away = new HomeserverError('away', { status: 502 });

/** Lets everything that is due run, as long as something waits. */
async function run(clock: ReturnType<typeof virtualClock>, totalMs: number): Promise<void> {
  for (let passedMs = 0; passedMs <= totalMs; passedMs += 250) {
    await new Promise(setImmediate);
    clock.advance(250);
  }
  await new Promise(setImmediate);
}

describe('patience', () => {
  it('tries again until it works', async () => {
    const clock = virtualClock();
    let tries = 0;
    const work = patiently({ clock, signal: new AbortController().signal }, () => (++tries < 4 ? Promise.reject(away) : Promise.resolve('done')));
    await run(clock, 4_000);
    assert.equal(await work, 'done');
    assert.equal(tries, 4);
  });

  it('waits as long as the homeserver wants', async () => {
    const clock = virtualClock();
    const startMs = clock.nowMs();
    const times: number[] = [];
    const work = patiently({ clock, signal: new AbortController().signal }, () => {
      times.push(clock.nowMs() - startMs);
      return times.length < 2 ? Promise.reject(new HomeserverError('limit', { status: 429, retryAfterMs: 4_000 })) : Promise.resolve();
    });
    await run(clock, 5_000);
    await work;
    assert.deepEqual(times, [0, 4_000]);
  });

  it('gives up after nine times, with the last error', async () => {
    const clock = virtualClock();
    let tries = 0;
    const work = patiently({ clock, signal: new AbortController().signal }, () => Promise.reject(new HomeserverError(`try ${++tries}`, {})));
    const failed = assert.rejects(work, { message: 'try 9' });
    await run(clock, 120_000);
    await failed;
    assert.equal(clock.waiting(), 0);
  });

  for (const [what, error] of [['a refusal', new HomeserverError('no', { status: 403 })], ['a bug', new TypeError('bug')]] as const) {
    it(`does not repeat ${what}`, async () => {
      let tries = 0;
      await assert.rejects(patiently({ clock: virtualClock(), signal: new AbortController().signal }, () => Promise.reject((tries++, error))), error);
      assert.equal(tries, 1);
    });
  }

  it('ends at once when the bridge closes, and leaves no timer', async () => {
    const clock = virtualClock();
    const closing = new AbortController();
    const work = assert.rejects(patiently({ clock, signal: closing.signal }, () => Promise.reject(away)), away);
    await new Promise(setImmediate);
    closing.abort();
    await work;
    assert.equal(clock.waiting(), 0);
    assert.equal(await pause(clock, 1_000, closing.signal), 'aborted');
  });
});
