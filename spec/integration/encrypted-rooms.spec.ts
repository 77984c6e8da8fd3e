// Owns the proof that the bot is a full member of encrypted rooms, as clients that others have written see it.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { isEventId, isSlug, isUserId, parse, type RoomId } from '../../src/call/ids.ts';
import type { CallNotice } from '../../src/control/ports/room-voice.ts';
import { clientApi } from '../../src/demo/homeservers/client-api.ts';
import type { JsMember } from '../../src/drill/crypto/js-member.ts';
import { placeOf } from '../../src/drill/crypto/megolm.ts';
import { findRead, type EncryptedMember, type ReadMessage } from '../../src/drill/crypto/member.ts';
import type { NioMember } from '../../src/drill/crypto/nio-member.ts';
import { openEncryption } from '../../src/matrix/encryption/encryption.ts';
import { silentLogger } from '../../src/log/logger.ts';
import { realClock } from '../support/clocks.ts';
import { account, encryptedBridge, encryptionState, folderFor, jsMember, nioMember, roomIdOf } from '../support/encrypted-bridge.ts';
import { eventually } from '../support/eventually.ts';
import { startFederation, type Federation } from '../support/homeservers.ts';
import { bridgeRegistration, serverNameOf, type MatrixBridge } from '../support/matrix-bridge.ts';
import type { MatrixUser, SeenEvent } from '../support/matrix-user.ts';

describe('encrypted rooms', function () {
  this.timeout(60_000);
  const { registration, content } = bridgeRegistration(0);
  let federation: Federation;
  let folder: string;
  let bridge: MatrixBridge;
  /** Sees what the homeserver sees: she has no keys. */
  let owner: MatrixUser;
  /** matrix-js-sdk, which excludes devices that are not signed by their owner. */
  let alice: JsMember;
  let bob: NioMember;
  let bobsAccount: Awaited<ReturnType<typeof account>>;

  before(async () => {
    federation = await startFederation({ settings: () => ({ registrations: [content] }) });
    folder = await folderFor('bridge');
    bridge = await start();
    owner = await federation.user(0, 'owner', { admin: true });
    alice = await jsMember(await account(federation.server(0), 'alice'), 'ALICE1', true);
    bobsAccount = await account(federation.server(0), 'bob');
    bob = await nioMember(bobsAccount, 'BOB1');
  });
  after(async () => {
    await Promise.all([alice[Symbol.asyncDispose](), bob[Symbol.asyncDispose](), bridge.stop()]);
    await federation[Symbol.asyncDispose]();
  });

  const start = () => encryptedBridge({ registration, folder, keyWaitMs: 4_000 });
  const ofBot = (room: string, type: string) => (event: SeenEvent) => event.roomId === room && event.sender === bridge.botUser && event.type === type;
  /** As the homeserver told its owner so far, who may hear of it later than the readers. */
  const encryptedByBot = (room: string) => owner.seen(ofBot(room, 'm.room.encrypted'));
  const sessions = (room: string) => new Set(encryptedByBot(room).map((event) => placeOf(event.content).session));

  async function room(members: readonly EncryptedMember[], rules: Readonly<Record<string, unknown>> = {}): Promise<RoomId> {
    const id = await owner.createRoom({ initial_state: [encryptionState(rules)], invite: [...members.map(({ userId }) => userId), bridge.botUser] });
    for (const member of members) await member.join(id);
    await owner.find('the bot', (event) => event.roomId === id && event.type === 'm.room.member' && event.stateKey === bridge.botUser && event.content['membership'] === 'join');
    // Said in clear it would be told at once, encrypted only after the keys were exchanged.
    await owner.find('the introduction', ofBot(id, 'm.room.encrypted'));
    return roomIdOf(id);
  }

  const answerTo = (member: EncryptedMember, eventId: string): Promise<ReadMessage> => findRead(member, `the answer to ${eventId}`, ({ sender, relatesTo }) => sender === bridge.botUser && relatesTo.answers === eventId);

  async function asks(member: EncryptedMember, where: RoomId, readers: readonly EncryptedMember[], words = '!visio status'): Promise<readonly ReadMessage[]> {
    const said = await member.say(where, words, [bridge.botUser, ...readers.map(({ userId }) => userId)]);
    return await Promise.all(readers.map((reader) => answerTo(reader, said)));
  }

  const notice = (where: RoomId, change: Partial<CallNotice> = {}): CallNotice => ({
    room: where,
    callId: 'C_abcdefgh',
    slug: parse(isSlug, 'abcdefghijklmnopqrst', 'slug'),
    state: 'open',
    movedTo: undefined,
    continued: false,
    impaired: [],
    pages: [],
    startedBy: parse(isUserId, alice.userId, 'user id'),
    startedAtMs: 1_000,
    endedAtMs: undefined,
    people: [{ server: serverNameOf(0), count: 2 }],
    widgetSet: true,
    language: 'fr',
    ...change,
  });

  it('reads commands and answers encrypted, with matrix-js-sdk in strict mode and with matrix-nio', async () => {
    const where = await room([alice, bob]);
    for (const asker of [alice, bob]) {
      const answers = await asks(asker, where, [alice, bob]);
      assert.deepEqual(answers.map(({ body, encrypted }) => ({ body, encrypted })), Array.from({ length: 2 }, () => ({ body: 'Aucun appel n’est en cours.', encrypted: true })));
      assert.equal(answers[0]?.shield, 'none');
    }
    assert.deepEqual(bridge.control.notes.filter(([what]) => what === 'status').length, 2);
    assert.deepEqual(owner.seen(ofBot(where, 'm.room.message')), []);
    assert.ok(encryptedByBot(where).every(({ content: told }) => !JSON.stringify(told).includes('appel')));
  });

  it('posts its notice and edits it, encrypted', async () => {
    const where = await room([alice, bob]);
    const posted = await bridge.side.voice.notice(notice(where), undefined, 'C_1.notice');
    assert.ok(posted.kind === 'sent' && posted.eventId !== undefined, JSON.stringify(posted));
    const again = await bridge.side.voice.notice(notice(where), undefined, 'C_1.notice');
    assert.deepEqual(again, posted, 'encrypted twice, said once');
    await bridge.side.voice.notice(notice(where, { state: 'ended', endedAtMs: 61_000 }), posted.eventId, 'C_1.notice.2');
    for (const member of [alice, bob]) {
      const first = await findRead(member, 'the notice', ({ eventId }) => eventId === posted.eventId);
      assert.match(first.body, /^Appel en cours · 2 personnes/);
      const edit = await findRead(member, 'the edit', ({ relatesTo }) => relatesTo.replaces === posted.eventId);
      assert.deepEqual({ body: edit.newBody, encrypted: edit.encrypted }, { body: 'Appel terminé · 1 min · interieur 2', encrypted: true });
    }
    await eventually(() => (encryptedByBot(where).length === 3 ? undefined : 'the introduction, the notice and its edit'));
    const raw = encryptedByBot(where).at(-1);
    assert.deepEqual(raw?.content['m.relates_to'], { rel_type: 'm.replace', event_id: posted.eventId }, 'servers must be able to see what an edit belongs to');
    assert.deepEqual(owner.seen(ofBot(where, 'm.room.message')), []);
  });

  it('does not run a command that comes in clear, and says so encrypted', async () => {
    const where = await room([alice]);
    const before = bridge.control.notes.length;
    const said = await owner.say(where, '!visio end');
    assert.match((await answerTo(alice, said)).body, /n’était pas chiffrée/);
    assert.deepEqual(bridge.control.notes.slice(before).filter(([what]) => what === 'end'), []);
    assert.deepEqual(owner.seen(ofBot(where, 'm.room.message')), []);
  });

  it('says once of each session whose key does not come that it cannot read', async () => {
    const where = await room([alice]);
    const asked = await alice.say(where, 'nothing for the bot', [bridge.botUser]);
    const real = await owner.find('a message', ({ eventId }) => eventId === asked);
    const garbled = { ...real.content, session_id: 'A'.repeat(43) };
    const first = await owner.send(where, 'm.room.encrypted', garbled);
    await owner.send(where, 'm.room.encrypted', garbled);
    assert.match((await answerTo(alice, first)).body, /sa clé ne m’est pas parvenue/);
    await asks(alice, where, [alice]);
    assert.equal([...alice.read.values()].filter(({ room: at, body }) => at === where && body.includes('sa clé')).length, 1);
  });

  it('honours how often a room wants new keys', async () => {
    const where = await room([alice], { rotation_period_msgs: 2 });
    for (let count = 0; count < 4; count += 1) await asks(alice, where, [alice]);
    // The introduction and four answers, two to a session.
    await eventually(() => (encryptedByBot(where).length === 5 ? undefined : `${encryptedByBot(where).length} of 5`));
    assert.equal(sessions(where).size, 3);
  });

  it('is the same device after a restart, goes on in the same session, and answers what was said meanwhile', async () => {
    const where = await room([alice, bob]);
    await asks(alice, where, [alice, bob]);
    const devices = await alice.devicesOf(bridge.botUser);
    assert.equal(devices.size, 1);
    await bridge.stop();
    const said = await bob.say(where, '!visio status', [bridge.botUser, alice.userId]);
    bridge = await start();
    await Promise.all([alice, bob].map((member) => answerTo(member, said)));
    assert.deepEqual(await alice.devicesOf(bridge.botUser), devices);
    await eventually(() => (encryptedByBot(where).length === 3 ? undefined : 'three messages'));
    assert.equal(sessions(where).size, 1);
    const places = encryptedByBot(where).map(({ content: told }) => placeOf(told).index);
    assert.equal(new Set(places).size, places.length);
  });

  it('shuts out who was removed, and lets a device read that came later', async () => {
    const where = await room([alice, bob]);
    await asks(bob, where, [alice, bob]);
    const told = encryptedByBot(where).length;
    const before = encryptedByBot(where).at(-1);
    await owner.kick(where, bob.userId);
    await eventually(() => (bridge.control.notes.some(([what, , user]) => what === 'memberGone' && user === bob.userId) ? undefined : 'the bot knows'));
    await asks(alice, where, [alice]);
    await eventually(() => (encryptedByBot(where).length > told ? undefined : 'the answer'));
    const after = encryptedByBot(where).at(-1);
    assert.ok(before !== undefined && after !== undefined);
    const raw = (event: SeenEvent) => ({ type: event.type, event_id: event.eventId, room_id: where, sender: event.sender, origin_server_ts: event.timestampMs, content: event.content });
    assert.equal(await bob.decrypt(raw(after)), undefined);
    assert.notEqual(placeOf(after.content).session, placeOf(before.content).session);

    await owner.invite(where, bob.userId);
    await bob.join(where);
    await using second = await nioMember(bobsAccount, 'BOB2');
    await asks(alice, where, [alice, bob, second]);
    assert.equal(await second.decrypt(raw(before)), undefined);
  });

  it('makes a new device under the same identity when its own was deleted, and when the key store was lost', async () => {
    const where = await room([alice]);
    const [first] = (await alice.devicesOf(bridge.botUser)).keys();
    const devices = `/_synapse/admin/v2/users/${encodeURIComponent(bridge.botUser)}/devices`;
    await clientApi(federation.server(0).url, owner.accessToken).tell('DELETE', `${devices}/${first ?? ''}`);
    await eventually(async () => {
      const [now] = (await alice.devicesOf(bridge.botUser)).keys();
      return now !== undefined && now !== first ? undefined : 'a new device';
    }, 30_000);
    assert.equal((await asks(alice, where, [alice]))[0]?.shield, 'none');

    const [second] = (await alice.devicesOf(bridge.botUser)).keys();
    await bridge.stop();
    rmSync(join(folder, 'crypto.sqlite'));
    bridge = await start();
    await eventually(async () => {
      const now = [...(await alice.devicesOf(bridge.botUser)).keys()];
      return now.length === 1 && now[0] !== second ? undefined : now.join(' ');
    }, 20_000);
    assert.equal((await asks(alice, where, [alice]))[0]?.shield, 'none');
    assert.deepEqual(await alice.identityOf(bridge.botUser), { hasIdentity: true, needsApproval: false });
  });

  it('does not share its key store with another bridge', async () => {
    const user = parse(isUserId, bridge.botUser, 'user id');
    await assert.rejects(openEncryption({ url: federation.server(0).url, asToken: registration.asToken, user, folder, clock: realClock, log: silentLogger }), /is in use: does another bridge run with this data folder/);
  });

  it('is heard in a room that becomes encrypted while it is there', async () => {
    const id = await owner.createRoom({ invite: [alice.userId, bridge.botUser] });
    await alice.join(id);
    await owner.find('the introduction', ofBot(id, 'm.room.message'));
    await owner.setState(id, 'm.room.encryption', '', { algorithm: 'm.megolm.v1.aes-sha2' });
    const where = roomIdOf(id);
    assert.equal((await bridge.side.voice.message(where, { msgtype: 'm.notice', body: 'x' }, 'first')).kind, 'sent');
    await findRead(alice, 'what was said after that', ({ room: at, body, encrypted }) => at === id && body === 'x' && encrypted);
    assert.equal(owner.seen(ofBot(id, 'm.room.message')).length, 1);
    assert.ok(isEventId(owner.seen(ofBot(id, 'm.room.encrypted'))[0]?.eventId ?? ''));
  });
});
