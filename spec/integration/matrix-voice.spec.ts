// Owns the proof of what the bridge says and sets in real rooms: notice, edits, widget, limits, repeats.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { isRoomId, isSlug, isUserId, parse, type EventId, type RoomId } from '../../src/call/ids.ts';
import type { CallNotice, Delivery } from '../../src/control/ports/room-voice.ts';
import { clientApi } from '../../src/demo/homeservers/client-api.ts';
import { startFederation, type Federation } from '../support/homeservers.ts';
import { bridgeRegistration, matrixBridge, serverNameOf, type MatrixBridge } from '../support/matrix-bridge.ts';
import type { MatrixUser, SeenEvent } from '../support/matrix-user.ts';
import { specBasePort } from '../support/run.ts';

const slug = parse(isSlug, 'abcdefghijklmnopqrst', 'slug');
const widgetType = 'im.vector.modular.widgets';

describe('the voice in real rooms', () => {
  const { registration, content } = bridgeRegistration(0);
  let federation: Federation;
  let bridge: MatrixBridge;
  let alice: MatrixUser;

  before(async () => {
    federation = await startFederation({ settings: () => ({ registrations: [content] }) });
    bridge = matrixBridge({ registration });
    await bridge.start();
    alice = await federation.user(0, 'alice');
  });
  after(async () => {
    await bridge.stop();
    await federation[Symbol.asyncDispose]();
  });

  const words = (room: string) => (event: SeenEvent) => event.type === 'm.room.message' && event.sender === bridge.botUser && event.roomId === room;

  async function room(more: Readonly<Record<string, unknown>> = {}): Promise<RoomId> {
    const id = await alice.createRoom({ invite: [bridge.botUser], ...more });
    await alice.find('the introduction', words(id));
    return parse(isRoomId, id, 'room id');
  }

  const notice = (where: RoomId, change: Partial<CallNotice> = {}): CallNotice => ({
    room: where,
    callId: 'C_abcdefgh',
    slug,
    state: 'open',
    movedTo: undefined,
    continued: false, pages: [], impaired: [],
    startedBy: parse(isUserId, alice.userId, 'user id'),
    startedAtMs: 1_000,
    endedAtMs: undefined,
    people: [
      { server: serverNameOf(0), count: 2 },
      { server: serverNameOf(1), count: 1 },
    ],
    widgetSet: true,
    language: 'fr',
    ...change,
  });

  const sent = (delivery: Delivery): EventId => {
    assert.ok(delivery.kind === 'sent' && delivery.eventId !== undefined, JSON.stringify(delivery));
    return delivery.eventId;
  };

  it('posts one notice and edits it into the summary', async () => {
    const where = await room();
    const url = `http://interieur.localhost:${specBasePort() + 3}/c/${slug}`;
    const noticeId = sent(await bridge.side.voice.notice(notice(where), undefined, 'C_1.notice'));
    const posted = await alice.find('the notice', (event) => event.eventId === noticeId);
    const key = { call_id: 'C_abcdefgh', state: 'open', started_by: alice.userId, started_at: 1000, people: [{ server: serverNameOf(0), count: 2 }, { server: serverNameOf(1), count: 1 }], url };
    assert.deepEqual(posted.content, {
      msgtype: 'm.notice',
      body: `Appel en cours · 3 personnes · interieur 2, finances 1 · ${url}`,
      format: 'org.matrix.custom.html',
      formatted_body: `Appel en cours · 3 personnes · interieur 2, finances 1 · <a href="${url}">Rejoindre</a>`,
      'm.mentions': {},
      'fr.viaduc.call': key,
    });

    const editId = sent(await bridge.side.voice.notice(notice(where, { state: 'ended', endedAtMs: 1_000 + 12 * 60_000 }), noticeId, 'C_1.notice.2'));
    const edit = await alice.find('the edit', (event) => event.eventId === editId);
    assert.deepEqual(edit.content['m.relates_to'], { rel_type: 'm.replace', event_id: noticeId });
    assert.equal(edit.content['body'], '* Appel terminé · 12 min · interieur 2, finances 1');
    assert.deepEqual(edit.content['m.new_content'], {
      msgtype: 'm.notice',
      body: 'Appel terminé · 12 min · interieur 2, finances 1',
      format: 'org.matrix.custom.html',
      formatted_body: 'Appel terminé · 12 min · interieur 2, finances 1',
      'm.mentions': {},
      'fr.viaduc.call': { ...key, state: 'ended', ended_at: 1000 + 12 * 60_000 },
    });
  });

  it('posts once what is sent twice, over a restart of the homeserver too', async () => {
    const where = await room();
    const first = sent(await bridge.side.voice.notice(notice(where), undefined, 'C_2.notice'));
    assert.equal(sent(await bridge.side.voice.notice(notice(where, { people: [] }), undefined, 'C_2.notice')), first);
    await federation.server(0).kill();
    const away = await bridge.side.voice.notice(notice(where), undefined, 'C_2.notice');
    assert.equal(away.kind, 'later', JSON.stringify(away));
    await federation.server(0).start();
    assert.equal(sent(await bridge.side.voice.notice(notice(where), undefined, 'C_2.notice')), first);
  });

  it('goes on when somebody has deleted its device', async () => {
    const where = await room();
    const admin = await federation.user(0, 'admin', { admin: true });
    const devices = `/_synapse/admin/v2/users/${encodeURIComponent(bridge.botUser)}/devices`;
    const api = clientApi(federation.server(0).url, admin.accessToken);
    await api.tell('DELETE', `${devices}/VIADUC`);
    const first = sent(await bridge.side.voice.notice(notice(where), undefined, 'C_5.notice'));
    assert.equal(sent(await bridge.side.voice.notice(notice(where), undefined, 'C_5.notice')), first);
    const answer = z.object({ devices: z.array(z.object({ device_id: z.string() })) });
    assert.deepEqual(await api.ask({ method: 'GET', path: devices, answer }), { devices: [{ device_id: 'VIADUC' }] });
  });

  it('sets the widget where it may, leaves alone what is right, clears it', async () => {
    const where = await room({ power_level_content_override: { users: { [alice.userId]: 100, [bridge.botUser]: 50 } }, room_version: '11' });
    const set = alice.next('the widget', (event) => event.type === widgetType && event.roomId === where);
    assert.deepEqual(await bridge.side.voice.widget(where, slug, 'fr'), { kind: 'sent', eventId: undefined });
    assert.equal((await set).stateKey, 'viaduc');
    assert.deepEqual((await set).content, {
      type: 'm.custom',
      name: 'Appel',
      creatorUserId: bridge.botUser,
      url: `http://interieur.localhost:${specBasePort() + 3}/c/${slug}?widgetId=$matrix_widget_id&userId=$matrix_user_id&deviceId=$org.matrix.msc3819.matrix_device_id&lang=$org.matrix.msc2873.client_language&theme=$org.matrix.msc2873.client_theme`,
      data: {},
    });
    await bridge.side.voice.widget(where, slug, 'fr');
    await bridge.side.voice.widget(where, slug, 'en');
    await bridge.side.voice.widget(where, undefined, 'en');
    await bridge.side.voice.widget(where, undefined, 'en');
    await alice.find('the cleared widget', (event) => event.type === widgetType && event.roomId === where && Object.keys(event.content).length === 0);
    assert.deepEqual(
      alice.seen((event) => event.type === widgetType && event.roomId === where).map((event) => event.content['name']),
      ['Appel', 'Call', undefined],
    );
  });

  it('is refused the widget without the power, and says in the notice who can change that', async () => {
    const where = await room();
    const refused = await bridge.side.voice.widget(where, slug, 'fr');
    assert.deepEqual({ kind: refused.kind, forbidden: refused.kind === 'refused' && refused.forbidden }, { kind: 'refused', forbidden: true });
    const noticeId = sent(await bridge.side.voice.notice(notice(where, { widgetSet: false, people: [] }), undefined, 'C_3.notice'));
    const { content: shown } = await alice.find('the notice', (event) => event.eventId === noticeId);
    assert.match(String(shown['body']), /^Appel en cours · personne pour l’instant · http.*\nJe n’ai pas le droit d’afficher l’appel dans le salon : un administrateur du salon peut donner à @visio:interieur\.localhost:\d+ le niveau 50\.$/);
    assert.match(String(shown['formatted_body']), /<br><em>Je n’ai pas/);
  });

  it('is refused for ever where the bot is not', async () => {
    const elsewhere = parse(isRoomId, await alice.createRoom(), 'room id');
    const answers = [await bridge.side.voice.message(elsewhere, { msgtype: 'm.notice', body: 'x' }, 'x'), await bridge.side.voice.notice(notice(elsewhere), undefined, 'y'), await bridge.side.voice.widget(elsewhere, slug, 'fr')];
    assert.deepEqual(answers.map((answer) => ({ kind: answer.kind, forbidden: answer.kind === 'refused' && answer.forbidden })), Array.from({ length: 3 }, () => ({ kind: 'refused', forbidden: true })));
  });

  it('does not speak in clear in an encrypted room', async () => {
    const where = await room({ initial_state: [{ type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } }] });
    const answer = await bridge.side.voice.notice(notice(where), undefined, 'C_4.notice');
    assert.deepEqual(answer, { kind: 'refused', forbidden: false, detail: 'the room is encrypted: the bot does not speak in clear there' });
  });
});

describe('the voice under a limit', () => {
  const { registration, content } = bridgeRegistration(0, { rate_limited: true });
  let federation: Federation;
  let bridge: MatrixBridge;

  before(async () => {
    federation = await startFederation({ settings: () => ({ registrations: [content], messageLimit: { per_second: 0.5, burst_count: 3 } }) });
    bridge = matrixBridge({ registration });
    await bridge.start();
  });
  after(async () => {
    await bridge.stop();
    await federation[Symbol.asyncDispose]();
  });

  it('hands on how long the homeserver wants to be left alone, and is heard after that', async () => {
    const alice = await federation.user(0, 'alice');
    const id = await alice.createRoom({ invite: [bridge.botUser] });
    await alice.find('the introduction', (event) => event.type === 'm.room.message' && event.sender === bridge.botUser && event.roomId === id);
    const where = parse(isRoomId, id, 'room id');
    const say = (txnId: string) => bridge.side.voice.message(where, { msgtype: 'm.notice', body: txnId }, txnId);
    let count = 0;
    let answer: Delivery;
    do answer = await say(String(++count));
    while (answer.kind === 'sent' && count < 10);
    assert.ok(answer.kind === 'later' && answer.retryAfterMs !== undefined, JSON.stringify(answer));
    assert.ok(answer.retryAfterMs > 0 && answer.retryAfterMs <= 4_000, `${answer.retryAfterMs} ms`);
    await sleep(answer.retryAfterMs + 50);
    assert.equal((await say(String(count))).kind, 'sent');
  });
});
