// Owns the specification of what becomes of events that cannot be read at once.
import assert from 'node:assert/strict';
import type { RoomId } from '../../src/call/ids.ts';
import { silentLogger } from '../../src/log/logger.ts';
import { EncryptedEvents } from '../../src/matrix/encrypted-events.ts';
import type { Decryption } from '../../src/matrix/encryption/encryption.ts';
import { decodeEvent, type EncryptedEvent } from '../../src/matrix/event-decoder.ts';
import { HomeserverError } from '../../src/matrix/homeserver-error.ts';
import { virtualClock } from '../support/clocks.ts';
import { rawEvent } from '../support/matrix-events.ts';

const noKey: Decryption = { kind: 'noKey', detail: 'no key' };
const text = (body: string): Decryption => ({ kind: 'clear', type: 'm.room.message', content: { msgtype: 'm.text', body } });

function bench(...answers: readonly (Decryption | Error)[]) {
  const clock = virtualClock();
  const again: RoomId[] = [];
  let asked = 0;
  const decrypt = () => {
    const answer = answers[Math.min(asked, answers.length - 1)];
    asked += 1;
    return answer instanceof Error || answer === undefined ? Promise.reject(answer ?? new Error('nothing to answer')) : Promise.resolve(answer);
  };
  const events = new EncryptedEvents({ encryption: { decrypt }, keyWaitMs: 60_000, again: (room) => again.push(room), clock, log: silentLogger });
  return { clock, again, events };
}

function encrypted(content: Readonly<Record<string, unknown>> = {}): EncryptedEvent {
  const decoded = decodeEvent(rawEvent({ type: 'm.room.encrypted', content: { algorithm: 'm.megolm.v1.aes-sha2', session_id: 's', ciphertext: 'x', ...content } }));
  assert.ok(decoded.ok && decoded.value?.type === 'encrypted');
  return decoded.value;
}

describe('an encrypted event', () => {
  it('is the message that it holds, with what it refers to outside the cipher', async () => {
    const { events } = bench(text('!visio'));
    const reading = await events.read(encrypted({ 'm.relates_to': { rel_type: 'm.thread', event_id: '$root' } }));
    assert.ok(reading.kind === 'message');
    assert.deepEqual([reading.event.body, reading.event.thread, reading.event.isEdit], ['!visio', '$root', false]);
  });

  it('is nothing when it is no message, or not what it pretends to be', async () => {
    for (const answer of [{ kind: 'clear', type: 'm.room.power_levels', content: {} }, { kind: 'refused', detail: 'forged' }] as const) assert.deepEqual(await bench(answer).events.read(encrypted()), { kind: 'nothing' });
  });

  it('waits for its key, and is read when that comes', async () => {
    const { events, clock } = bench(noKey, text('late'));
    const event = encrypted();
    assert.deepEqual(await events.read(event), { kind: 'later' });
    clock.advance(30_000);
    assert.equal((await events.read(event)).kind, 'message');
  });

  it('is read again when the wait is over, then given up', async () => {
    const { events, clock, again } = bench(noKey);
    const event = encrypted();
    await events.read(event);
    clock.advance(59_999);
    assert.deepEqual(again, []);
    clock.advance(1);
    assert.deepEqual(again, [event.room]);
    assert.deepEqual(await events.read(event), { kind: 'noKey' });
  });

  it('is not waited for when the sender withholds its key', async () => {
    assert.deepEqual(await bench({ kind: 'withheld', detail: 'not for you' }).events.read(encrypted()), { kind: 'noKey' });
  });

  it('is read again when the crypto machine starts again', async () => {
    const { events, clock, again } = bench(new HomeserverError('encryption starts again', {}), text('x'));
    const event = encrypted();
    assert.deepEqual(await events.read(event), { kind: 'later' });
    clock.advance(2_000);
    assert.deepEqual(again, [event.room]);
    assert.equal((await events.read(event)).kind, 'message');
  });

  it('sets no timer after the end', async () => {
    const { events, clock, again } = bench(noKey);
    await events.read(encrypted());
    events.close();
    clock.advance(100_000);
    assert.deepEqual(again, []);
  });
});
