// Owns the proof that commands said in real rooms run once, and only when they should.
import assert from 'node:assert/strict';
import { parse, isRoomId, isEventId } from '../../src/call/ids.ts';
import { openDatabase } from '../../src/store/database.ts';
import { createEventInbox } from '../../src/store/event-inbox.ts';
import { realClock } from '../support/clocks.ts';
import { eventually } from '../support/eventually.ts';
import { startFederation, type Federation } from '../support/homeservers.ts';
import { appserviceUrl, bridgeRegistration, matrixBridge, type MatrixBridge } from '../support/matrix-bridge.ts';
import type { MatrixUser } from '../support/matrix-user.ts';
import { theSlug } from '../support/recording-control.ts';
import { specBasePort } from '../support/run.ts';

describe('commands in real rooms', () => {
  const { registration, content } = bridgeRegistration(0);
  const database = openDatabase(':memory:');
  let federation: Federation;
  let bridge: MatrixBridge;
  let alice: MatrixUser;

  before(async () => {
    federation = await startFederation({ settings: () => ({ registrations: [content] }) });
    bridge = matrixBridge({ registration, database });
    await bridge.start();
    alice = await federation.user(0, 'alice');
  });
  after(async () => {
    await bridge.stop();
    await federation[Symbol.asyncDispose]();
    database.close();
  });
  beforeEach(() => {
    bridge.control.notes.length = 0;
    bridge.control.said.length = 0;
    bridge.control.running = false;
  });

  /** A room with alice and the bot, introduction made. */
  async function room(): Promise<string> {
    const id = await alice.createRoom({ invite: [bridge.botUser] });
    await alice.find('the introduction', fromBot(id));
    bridge.control.said.length = 0;
    return id;
  }

  const fromBot = (id: string) => (event: { type: string; sender: string; roomId: string }) => event.type === 'm.room.message' && event.sender === bridge.botUser && event.roomId === id;

  it('start a call, once', async () => {
    const id = await room();
    const eventId = await alice.say(id, ' !VISIO ');
    await eventually(() => (bridge.control.notes.length === 0 ? 'the command' : undefined));
    assert.deepEqual(bridge.control.notes, [['start', id, alice.userId, eventId]]);
    assert.deepEqual(bridge.control.said, [], 'the notice is the answer');
  });

  it('are answered in the room, as a reply without a mention', async () => {
    bridge.control.running = true;
    const id = await room();
    const answered = alice.next('the answer', fromBot(id));
    const eventId = await alice.say(id, '!call');
    const link = `http://interieur.localhost:${specBasePort() + 3}/c/${theSlug}`;
    const line = `Un appel est déjà en cours : ${link}`;
    assert.deepEqual((await answered).content, {
      msgtype: 'm.notice',
      body: line,
      format: 'org.matrix.custom.html',
      formatted_body: line,
      'm.mentions': {},
      'm.relates_to': { 'm.in_reply_to': { event_id: eventId } },
    });
  });

  it('are not run by edits, notices, pictures, and people of the bridge', async () => {
    const id = await room();
    const first = await alice.say(id, 'rien');
    await alice.send(id, 'm.room.message', { msgtype: 'm.text', body: '* !visio', 'm.new_content': { msgtype: 'm.text', body: '!visio' }, 'm.relates_to': { rel_type: 'm.replace', event_id: first } });
    await alice.send(id, 'm.room.message', { msgtype: 'm.text', body: '!visio', 'm.new_content': { msgtype: 'm.text', body: '!visio' } });
    await alice.send(id, 'm.room.message', { msgtype: 'm.notice', body: '!visio' });
    await alice.send(id, 'm.room.message', { msgtype: 'm.emote', body: '!visio' });
    await alice.say(id, 'dites !visio');
    const { kind } = await bridge.side.voice.message(parse(isRoomId, id, 'room id'), { msgtype: 'm.text', body: '!visio' }, 'own-words');
    assert.equal(kind, 'sent');
    const last = await alice.say(id, '!visio');
    await eventually(() => (bridge.control.notes.length === 0 ? 'the command' : undefined));
    assert.deepEqual(bridge.control.notes, [['start', id, alice.userId, last]]);
  });

  it('run once when a transaction is sent again, and when its events come in another one', async () => {
    const id = await room();
    const event = {
      type: 'm.room.message',
      event_id: '$duplicated-event-of-the-spec',
      room_id: id,
      sender: alice.userId,
      origin_server_ts: Date.now(),
      content: { msgtype: 'm.text', body: '!visio' },
      unsigned: { age: 5 },
    };
    const put = async (txn: string, token = registration.hsToken.reveal()) => {
      const response = await fetch(`${appserviceUrl(0)}/_matrix/app/v1/transactions/${txn}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ events: [event, event] }),
      });
      return response.status;
    };
    assert.deepEqual(await Promise.all([put('spec-1'), put('spec-1'), put('spec-2')]), [200, 200, 200]);
    assert.equal(await put('spec-1'), 200);
    assert.equal(await put('spec-3', 'wrong'), 403);
    const marker = await alice.say(id, '!visio end');
    await eventually(() => (bridge.control.notes.some(([what]) => what === 'end') ? undefined : 'the marker'));
    assert.deepEqual(bridge.control.notes, [['start', id, alice.userId, parse(isEventId, event.event_id, 'event id')], ['end', id, alice.userId]]);
    assert.notEqual(marker, event.event_id);
  });

  it('said while the bridge was away for long are answered, not run; what is recent runs', async () => {
    const id = await room();
    await bridge.stop();
    await alice.say(id, '!visio');
    // What the process before had accepted is a minute old for this one; what waited at the homeserver is not.
    const clock = { ...realClock, nowMs: () => Date.now() + 60_000 };
    const { control } = bridge;
    bridge = matrixBridge({ registration, database, control, change: { clock } });
    const answered = alice.next('the answer', fromBot(id), 30_000);
    // As after a crash: accepted by the process before, not worked through.
    const eventId = parse(isEventId, '$accepted-before-the-crash', 'event id');
    createEventInbox(database).accept(eventId, Date.now(), { type: 'm.room.message', event_id: eventId, room_id: id, sender: alice.userId, origin_server_ts: Date.now(), content: { msgtype: 'm.text', body: '!visio' } });
    await bridge.start();
    assert.match(String((await answered).content['body']), /trop tard/);
    await eventually(() => (bridge.control.notes.some(([what]) => what === 'start') ? undefined : 'the recent command'), 30_000);
    assert.equal(bridge.control.notes.filter(([what]) => what === 'start').length, 1, 'the one that waited at the homeserver for a second is recent');
  });
});
