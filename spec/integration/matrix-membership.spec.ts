// Owns the proof of where the bot is: invitations, introduction, leaving, being put out, room upgrades.
import assert from 'node:assert/strict';
import { z } from 'zod';
import { clientApi } from '../../src/demo/homeservers/client-api.ts';
import { userId } from '../support/builders.ts';
import { eventually } from '../support/eventually.ts';
import { startFederation, type Federation } from '../support/homeservers.ts';
import { bridgeRegistration, matrixBridge, serverNameOf, type MatrixBridge } from '../support/matrix-bridge.ts';
import type { MatrixUser, SeenEvent } from '../support/matrix-user.ts';

describe('the bot in real rooms', () => {
  const { registration, content } = bridgeRegistration(0);
  let federation: Federation;
  let bridge: MatrixBridge;
  let alice: MatrixUser;
  let bob: MatrixUser;
  let mallory: MatrixUser;

  before(async () => {
    federation = await startFederation({ size: 3, settings: (index) => (index === 0 ? { registrations: [content] } : {}) });
    bridge = matrixBridge({ registration, change: { neighbourBots: [userId(`@visio:${serverNameOf(1)}`)], access: { servers: [serverNameOf(1)], privateAddresses: ['127.0.0.0/8'] } } });
    await bridge.start();
    [alice, bob, mallory] = await Promise.all([federation.user(0, 'alice'), federation.user(1, 'bob'), federation.user(2, 'mallory')]);
  });
  after(async () => {
    await bridge.stop();
    await federation[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    bridge.control.notes.length = 0;
    bridge.control.said.length = 0;
  });

  const botIs = (membership: string, room: string) => (event: SeenEvent) => event.type === 'm.room.member' && event.stateKey === bridge.botUser && event.roomId === room && event.content['membership'] === membership;
  const words = (room: string) => (event: SeenEvent) => event.type === 'm.room.message' && event.sender === bridge.botUser && event.roomId === room;

  async function roomWithBot(owner: MatrixUser, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const room = await owner.createRoom({ invite: [bridge.botUser], ...more });
    await owner.find('the introduction', words(room), 30_000);
    return room;
  }

  async function upgrade(owner: MatrixUser, room: string, version: string): Promise<string> {
    const api = clientApi(federation.server(0).url, owner.accessToken);
    const answer = z.object({ replacement_room: z.string() });
    return (await api.ask({ method: 'POST', path: `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/upgrade`, body: { new_version: version }, answer })).replacement_room;
  }

  it('says nothing of itself where another organisation\'s bot has joined before it, and greets where that one is only invited', async () => {
    const other = await federation.user(1, 'visio');
    const room = await alice.createRoom({ invite: [other.userId] });
    await other.join(room, federation.server(0).serverName);
    const joined = alice.next('the bot', botIs('join', room));
    await alice.invite(room, bridge.botUser);
    await joined;
    await roomWithBot(alice, { invite: [other.userId, bridge.botUser] });
    // What was said in the first room would have come before what was said in the second.
    assert.deepEqual(alice.seen(words(room)), []);
  });

  it('joins where its own people invite it, and introduces itself once, whatever its name becomes', async () => {
    const room = await roomWithBot(alice);
    const renamed = alice.next('the new name', (event) => botIs('join', room)(event) && event.content['displayname'] === 'Visio 2');
    const bot = encodeURIComponent(bridge.botUser);
    await clientApi(federation.server(0).url, registration.asToken.reveal()).tell('PUT', `/_matrix/client/v3/profile/${bot}/displayname?user_id=${bot}`, { displayname: 'Visio 2' });
    await renamed;
    await alice.say(room, '!visio end');
    await alice.find('the answer', (event) => words(room)(event) && String(event.content['body']).includes('terminé'));
    assert.deepEqual(
      alice.seen(words(room)).map((event) => event.content['body']),
      ['Bonjour ! Écrivez !visio pour lancer un appel dans ce salon, !visio help pour voir ce que je sais faire.', 'L’appel est terminé.'],
    );
  });

  it('joins a room of a listed server over federation', async () => {
    await roomWithBot(bob);
  });

  it('declines with a reason where nobody may invite it', async () => {
    const room = await mallory.createRoom();
    const declined = mallory.next('the refusal', botIs('leave', room), 30_000);
    await mallory.invite(room, bridge.botUser);
    assert.match(String((await declined).content['reason']), /réservé à certaines organisations/);
    assert.deepEqual(mallory.seen(botIs('join', room)), []);
  });

  it('says in an encrypted room that it cannot read there, and nothing else', async () => {
    const room = await roomWithBot(alice, { initial_state: [{ type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } }] });
    await alice.say(room, '!visio');
    await alice.say(room, '!visio status');
    const other = await roomWithBot(alice);
    await alice.say(other, '!visio end');
    await eventually(() => (bridge.control.notes.some(([what]) => what === 'end') ? undefined : 'the command in the other room'));
    assert.deepEqual(bridge.control.notes.filter(([what]) => what === 'start' || what === 'status'), []);
    assert.deepEqual(alice.seen(words(room)).map((event) => /chiffré/.test(String(event.content['body']))), [true]);
  });

  it('tells of people who are put out, who leave and who are banned', async () => {
    const room = await roomWithBot(alice, { preset: 'public_chat' });
    const dave = await federation.user(0, 'dave');
    for (const user of [bob, mallory, dave]) await user.join(room, serverNameOf(0));
    await alice.kick(room, bob.userId);
    await mallory.leave(room);
    await alice.ban(room, dave.userId);
    const expected = [bob, mallory, dave].map((user) => ['memberGone', room, user.userId]);
    await eventually(() => (bridge.control.notes.length < 3 ? `${3 - bridge.control.notes.length} people` : undefined));
    assert.deepEqual(new Set(bridge.control.notes.map((note) => note.join(' '))), new Set(expected.map((note) => note.join(' '))));
  });

  it('tells of changed power levels', async () => {
    const room = await roomWithBot(alice);
    await alice.setPowerLevel(room, bridge.botUser, 50);
    await eventually(() => (bridge.control.notes.length === 0 ? 'the change' : undefined));
    assert.deepEqual(bridge.control.notes, [['powerLevelsChanged', room]]);
  });

  it('tells that a room is lost when it is put out itself', async () => {
    const room = await roomWithBot(alice);
    await alice.kick(room, bridge.botUser, 'au revoir');
    await eventually(() => (bridge.control.notes.length === 0 ? 'the loss' : undefined));
    assert.deepEqual(bridge.control.notes, [['roomLost', room]]);
  });

  it('leaves a room that only bots are left in', async () => {
    const room = await roomWithBot(alice, { preset: 'public_chat' });
    await bob.join(room, serverNameOf(0));
    await alice.leave(room);
    await eventually(() => (bridge.control.notes.length === 0 ? 'alice leaving' : undefined));
    await bob.say(room, '!visio end');
    await bob.find('the answer of a bot that stays while bob does', (event) => words(room)(event) && String(event.content['body']).includes('terminé'));
    await bob.leave(room);
    await eventually(() => (bridge.control.notes.some(([what, where]) => what === 'roomLost' && where === room) ? undefined : 'the bot leaving'));
  });

  describe('when a room is upgraded', () => {
    it('follows when the new room points back, without another introduction', async () => {
      const from = await roomWithBot(alice, { preset: 'public_chat' });
      const to = await upgrade(alice, from, '12');
      await eventually(() => (bridge.control.notes.some(([what]) => what === 'roomLost') ? undefined : 'the upgrade'), 20_000);
      assert.deepEqual(bridge.control.notes.filter(([what]) => what !== 'powerLevelsChanged'), [['roomUpgraded', from, to], ['roomLost', from]]);
      await alice.say(to, '!visio end');
      await alice.find('the answer', words(to));
      assert.deepEqual(alice.seen(words(to)).map((event) => event.content['body']), ['L’appel est terminé.']);
    });

    it('follows into a private room when it is invited there', async () => {
      const from = await roomWithBot(alice);
      const to = await upgrade(alice, from, '11');
      await eventually(() => (bridge.control.notes.some(([what]) => what === 'roomLost') ? undefined : 'the tombstone'), 20_000);
      assert.deepEqual(bridge.control.notes.filter(([what]) => what === 'roomUpgraded'), []);
      await alice.invite(to, bridge.botUser);
      await eventually(() => (bridge.control.notes.some(([what]) => what === 'roomUpgraded') ? undefined : 'the upgrade'), 20_000);
      assert.deepEqual(bridge.control.notes.filter(([what]) => what === 'roomUpgraded'), [['roomUpgraded', from, to]]);
    });

    it('does not follow into a room that knows nothing of it, and leaves that room', async () => {
      const from = await roomWithBot(alice, { preset: 'public_chat' });
      const trap = await bob.createRoom({ preset: 'public_chat' });
      await alice.join(trap, serverNameOf(1));
      const left = bob.next('the bot leaving the trap', botIs('leave', trap), 30_000);
      await alice.setState(from, 'm.room.tombstone', '', { body: 'par ici', replacement_room: trap });
      assert.match(String((await left).content['reason']), /ne dit pas/);
      await eventually(() => (bridge.control.notes.some(([what, room]) => what === 'roomLost' && room === from) ? undefined : 'the loss of the old room'));
      assert.deepEqual(bridge.control.notes.filter(([what]) => what === 'roomUpgraded'), []);
    });
  });
});
