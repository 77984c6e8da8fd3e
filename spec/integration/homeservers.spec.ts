// Owns the proof that the homeservers of demo and specs are real: they federate, keep, forget, limit, and end.
import assert from 'node:assert/strict';
import { MatrixError } from '../../src/demo/homeservers/client-api.ts';
import { eventually } from '../support/eventually.ts';
import { type Federation, startFederation } from '../support/homeservers.ts';

describe('homeservers', () => {
  let federation: Federation;

  before(async () => {
    federation = await startFederation({ size: 2, settings: (index) => (index === 1 ? { messageLimit: { per_second: 0.1, burst_count: 5 } } : {}) });
  });
  after(async () => federation[Symbol.asyncDispose]());

  it('carry a message and a kick from one organisation to the other', async () => {
    const [alice, bob] = [await federation.user(0, 'alice'), await federation.user(1, 'bob')];
    const invited = bob.next('the invitation', (event) => event.section === 'invite' && event.stateKey === bob.userId);
    const room = await alice.createRoom({ invite: [bob.userId] });
    assert.equal((await invited).sender, alice.userId);
    await bob.join(room, federation.server(0).serverName);

    const heard = bob.next('the message', (event) => event.type === 'm.room.message');
    const sent = await alice.say(room, 'bonjour');
    assert.deepEqual(pick(await heard), { roomId: room, eventId: sent, sender: '@alice:' + federation.server(0).serverName, content: { msgtype: 'm.text', body: 'bonjour' } });

    const kicked = bob.next('the kick', (event) => event.section === 'leave' && event.stateKey === bob.userId);
    await alice.kick(room, bob.userId, 'essai');
    assert.deepEqual((await kicked).content, { membership: 'leave', reason: 'essai' });
  });

  it('limit messages where they are told to', async () => {
    const busy = await federation.user(1, 'busy');
    const room = await busy.createRoom();
    const refusal = await Promise.all(Array.from({ length: 12 }, async (_, n) => busy.say(room, String(n)))).then(
      () => assert.fail('twelve messages at once were accepted'),
      (error: unknown) => error,
    );
    assert.ok(refusal instanceof MatrixError);
    assert.equal(refusal.status, 429);
    assert.ok((refusal.retryAfterMs ?? 0) > 0, 'a 429 says when to try again');
  });

  it('find a killed neighbour again and deliver what it missed', async () => {
    const [carol, dave] = [await federation.user(0, 'carol'), await federation.user(1, 'dave')];
    const room = await carol.createRoom({ invite: [dave.userId] });
    await dave.join(room, federation.server(0).serverName);
    await federation.server(1).kill();
    assert.equal(federation.server(1).isAlive(), false);
    const heard = dave.next('the message of while its homeserver was away', (event) => event.content['body'] === 'en retard', 30_000);
    await carol.say(room, 'en retard');
    await federation.server(1).start();
    await heard;
  });

  it('return to a saved state, and forget everything when wiped', async () => {
    const server = federation.server(0);
    await server.register('kept', 'kept');
    await server.stop();
    server.save();
    await server.start();
    await server.register('lost', 'lost');
    await server.stop();
    server.restore();
    await server.start();
    await assert.rejects(server.register('kept', 'kept'), { errcode: 'M_USER_IN_USE' });
    await server.register('lost', 'lost');
    await server.stop();
    server.wipe();
    await server.start();
    await server.register('kept', 'kept');
  });

  it('leave no process behind', async () => {
    const pids = [federation.server(0).pid, federation.server(1).pid];
    await federation[Symbol.asyncDispose]();
    await eventually(() => {
      const left = pids.filter((pid) => pid !== undefined && isAlive(pid));
      return left.length === 0 ? undefined : `processes ${left.join(', ')} are still there`;
    });
    assert.equal(federation.server(0).pid, undefined);
  });
});

function pick({ roomId, eventId, sender, content }: { roomId: string; eventId: string; sender: string; content: unknown }): unknown {
  return { roomId, eventId, sender, content };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
