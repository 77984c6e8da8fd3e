// Owns the proof that encrypted rooms of several organisations have one answer to a command, by a bot with a device of its own.
import assert from 'node:assert/strict';
import { isUserId, parse } from '../../src/call/ids.ts';
import { findRead, type EncryptedMember } from '../../src/drill/crypto/member.ts';
import { account, encryptedBridge, encryptionState, folderFor, jsMember, nioMember } from '../support/encrypted-bridge.ts';
import { startFederation } from '../support/homeservers.ts';
import { bridgeRegistration, serverNameOf } from '../support/matrix-bridge.ts';

describe('encrypted rooms of two organisations', function () {
  this.timeout(120_000);

  it('are served by the bot of who asks, read by everybody', async () => {
    await using stack = new AsyncDisposableStack();
    const registrations = [0, 1].map((index) => bridgeRegistration(index));
    const federation = stack.use(await startFederation({ size: 2, settings: (index) => ({ registrations: [registrations[index]!.content] }) }));
    const bots = [0, 1].map((index) => parse(isUserId, `@visio:${serverNameOf(index)}`, 'user id'));
    const bridges = await Promise.all(
      [0, 1].map(async (index) => {
        const neighbourBots = { neighbourBots: bots.filter((_, place) => place !== index), access: { servers: ['*.localhost', ...[0, 1].map(serverNameOf)], privateAddresses: ['127.0.0.0/8'] } };
        return stack.use(await encryptedBridge({ index, registration: registrations[index]!.registration, folder: await folderFor('bridge'), neighbourBots }));
      }),
    );
    const owner = await federation.user(0, 'owner');
    const alice = stack.use(await jsMember(await account(federation.server(0), 'alice'), 'ALICE1', true));
    const bob = stack.use(await nioMember(await account(federation.server(1), 'bob'), 'BOB1'));
    const members: readonly EncryptedMember[] = [alice, bob];
    const room = await owner.createRoom({ initial_state: [encryptionState()], invite: [...members.map(({ userId }) => userId), ...bots] });
    for (const member of members) await member.join(room);
    for (const bot of bots) await owner.find('the bots', (event) => event.roomId === room && event.stateKey === bot && event.content['membership'] === 'join', 30_000);

    for (const [index, asker] of members.entries()) {
      const said = await asker.say(room, '!visio status', [...bots, ...members.map(({ userId }) => userId)]);
      for (const reader of members) {
        const answer = await findRead(reader, 'the answer', ({ relatesTo }) => relatesTo.answers === said, 30_000);
        assert.deepEqual({ sender: answer.sender, encrypted: answer.encrypted }, { sender: bots[index], encrypted: true });
      }
      assert.deepEqual([...alice.read.values()].filter(({ relatesTo }) => relatesTo.answers === said).length, 1);
    }
    assert.deepEqual(bridges.map(({ control }) => control.notes.filter(([what]) => what === 'status').length), [1, 1]);
    assert.deepEqual(owner.seen((event) => event.roomId === room && event.type === 'm.room.message'), []);
    const devices = await Promise.all(bots.map((bot) => alice.devicesOf(bot)));
    assert.deepEqual(devices.map(({ size }) => size), [1, 1]);
  });
});
