// Owns the proof of what the demo's client makes of a room's events: state, edits, deletions, gaps, earlier pages.
import assert from 'node:assert/strict';
import { emptyRoom, nameOf, powerOf, type Room, withEarlier, withSync } from '../../src/demo/client/matrix/room.ts';
import { eventSchema, type MatrixEvent, syncSchema } from '../../src/demo/client/matrix/schemas.ts';
import { timelineItems } from '../../src/demo/client/matrix/timeline-items.ts';
import { deepFreeze } from '../support/frozen.ts';

const roomId = '!room';
const alice = '@alice:interieur.localhost:1';
const bob = '@bob:finances.localhost:2';
const bot = '@visio:interieur.localhost:1';
const noon = Date.UTC(2026, 0, 5, 12);

let serial = 0;
function event(type: string, content: object, more: Partial<MatrixEvent> = {}): MatrixEvent {
  serial += 1;
  return deepFreeze(eventSchema.parse({ type, content, sender: alice, event_id: `$${serial}`, origin_server_ts: noon + serial, ...more }));
}
const member = (userId: string, membership: string, more: Partial<MatrixEvent> = {}): MatrixEvent => event('m.room.member', { membership }, { sender: userId, state_key: userId, ...more });
const text = (body: string, more: Partial<MatrixEvent> = {}): MatrixEvent => event('m.room.message', { msgtype: 'm.text', body }, more);
const edit = (target: string, body: string, more: Partial<MatrixEvent> = {}): MatrixEvent =>
  event('m.room.message', { msgtype: 'm.text', body: `* ${body}`, 'm.relates_to': { rel_type: 'm.replace', event_id: target }, 'm.new_content': { msgtype: 'm.text', body } }, more);

function told(room: Room, events: readonly MatrixEvent[], timeline: { readonly limited?: boolean; readonly prev_batch?: string } = {}): Room {
  return withSync(room, syncSchema.parse({ next_batch: 's', rooms: { join: { [roomId]: { timeline: { events, ...timeline } } } } }), alice);
}
const start = (...events: readonly MatrixEvent[]): Room => told(emptyRoom(roomId), [member(alice, 'join'), ...events]);
const texts = (room: Room): readonly string[] => timelineItems(room).flatMap((item) => (item.kind === 'message' ? [item.edited ? `${item.content.body} (edited)` : item.content.body] : item.kind === 'deleted' ? ['(deleted)'] : []));

describe('room of the demo\'s client', () => {
  it('shows the latest edit of the author, in the place of the message', () => {
    const first = text('one');
    const second = edit(first.event_id, 'two');
    const late = edit(first.event_id, 'three');
    assert.deepEqual(texts(start(first, text('after'), second, late)), ['three (edited)', 'after']);
    assert.deepEqual(texts(start(first, late, edit(first.event_id, 'older', { origin_server_ts: first.origin_server_ts }))), ['three (edited)']);
  });

  it('ignores an edit by somebody else', () => {
    const first = text('mine');
    assert.deepEqual(texts(start(first, edit(first.event_id, 'forged', { sender: bob }))), ['mine']);
  });

  it('hides what was deleted, in both forms of the event', () => {
    const [a, b] = [text('a'), text('b')];
    assert.deepEqual(texts(start(a, b, event('m.room.redaction', { redacts: a.event_id }), event('m.room.redaction', {}, { redacts: b.event_id }))), ['(deleted)', '(deleted)']);
  });

  it('begins anew after a gap, and puts earlier pages before what it has, each event once', () => {
    const [one, two, three] = [text('one'), text('two'), text('three')];
    const gap = told(start(one), [three], { limited: true, prev_batch: 'p' });
    assert.deepEqual([texts(gap), gap.earlier], [['three'], 'p']);
    const whole = withEarlier(gap, [three, two, one], undefined);
    assert.deepEqual([texts(whole), whole.earlier], [['one', 'two', 'three'], undefined]);
  });

  it('edits a message that comes with a later page', () => {
    const first = text('one');
    const room = told(emptyRoom(roomId), [member(alice, 'join'), edit(first.event_id, 'two')], { limited: true, prev_batch: 'p' });
    assert.deepEqual(texts(room), []);
    assert.deepEqual(texts(withEarlier(room, [first], undefined)), ['two (edited)']);
  });

  it('shows a call only for a notice, with the counts of its last edit', () => {
    const call = (people: number): object => ({ call_id: 'c', state: 'open', people: people === 0 ? [] : [{ server: 'interieur.localhost:1', count: people }], url: 'http://interieur.localhost:4/c/x' });
    const content = (people: number): object => ({ msgtype: 'm.notice', body: 'Call', 'fr.viaduc.call': call(people) });
    const notice = event('m.room.message', content(0), { sender: bot });
    const update = event('m.room.message', { ...content(2), 'm.relates_to': { rel_type: 'm.replace', event_id: notice.event_id }, 'm.new_content': content(2) }, { sender: bot });
    const forged = event('m.room.message', { ...content(1), msgtype: 'm.text' }, { sender: bob });
    const items = timelineItems(start(notice, update, forged)).filter(({ kind }) => kind === 'call' || kind === 'message');
    assert.deepEqual(items.map((item) => (item.kind === 'call' ? item.call.people : item.kind)), [[{ server: 'interieur.localhost:1', count: 2 }], 'message']);
  });

  it('keeps a widget until its content is emptied, and takes none without an address of the web', () => {
    const widget = (content: object): MatrixEvent => event('im.vector.modular.widgets', content, { sender: bot, state_key: 'viaduc' });
    const shown = start(widget({ type: 'm.custom', url: 'http://interieur.localhost:4/c/x?userId=$matrix_user_id' }));
    assert.equal(shown.widgets.get('viaduc')?.content.type, 'm.custom');
    assert.equal(told(shown, [widget({})]).widgets.size, 0);
    assert.equal(start(widget({ type: 'm.custom', url: 'javascript:alert(1)' })).widgets.size, 0);
  });

  it('says who came, went and was put out, once each', () => {
    const left: Partial<MatrixEvent> = { unsigned: { prev_content: { membership: 'join' } } };
    const room = start(
      member(bob, 'invite', { sender: alice }),
      member(bob, 'join', { unsigned: { prev_content: { membership: 'invite' } } }),
      member(bob, 'join', { content: { membership: 'join', displayname: 'Bob Moreau' }, ...left }),
      member(bob, 'leave', { sender: alice, ...left }),
      member(bot, 'leave', left),
    );
    const changes = timelineItems(room).flatMap((item) => (item.kind === 'change' ? [`${item.who} ${item.change} ${item.by}`] : []));
    assert.deepEqual(changes, [`${alice} joined ${alice}`, `${bob} joined ${bob}`, `${bob} kicked ${alice}`, `${bot} left ${bot}`]);
    assert.equal(nameOf(room, bob), 'Bob Moreau');
  });

  it('knows that it is outside, and invited again', () => {
    const out = withSync(start(), syncSchema.parse({ next_batch: 's', rooms: { leave: { [roomId]: { timeline: { events: [member(alice, 'leave', { sender: bob })] } } } } }), alice);
    assert.equal(out.membership, 'leave');
    const invited = withSync(out, syncSchema.parse({ next_batch: 's', rooms: { invite: { [roomId]: { invite_state: { events: [{ type: 'm.room.member', sender: bob, state_key: alice, content: { membership: 'invite' } }] } } } } }), alice);
    assert.equal(invited.membership, 'invite');
  });

  it('gives creators of version 12 more power than any level', () => {
    const levels = event('m.room.power_levels', { users: { [bot]: 50 }, kick: 50 }, { state_key: '' });
    const create = (version: string): MatrixEvent => event('m.room.create', { room_version: version }, { state_key: '' });
    assert.deepEqual([alice, bot, bob].map((userId) => powerOf(start(create('12'), levels), userId)), [Infinity, 50, 0]);
    assert.equal(powerOf(start(create('11'), levels), alice), 0);
  });

  it('separates days and joins what one person says in a row', () => {
    const next = { origin_server_ts: noon + 86_400_000 };
    const items = timelineItems(start(text('a'), text('b'), text('c', { sender: bob }), text('d', next)));
    assert.deepEqual(items.map((item) => (item.kind === 'message' ? `${item.content.body}${item.continued ? '+' : ''}` : item.kind)), ['day', 'change', 'a', 'b+', 'c', 'day', 'd']);
  });
});
