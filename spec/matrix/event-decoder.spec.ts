// Owns the proof of what is understood of a homeserver's events, and that nothing malformed gets further.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeEvent } from '../../src/matrix/event-decoder.ts';
import { oneLine } from '../../src/matrix/text.ts';
import { rawEvent, rawMember, sentAtMs } from '../support/matrix-events.ts';

const alice = '@alice:interieur.example.org';
const room = '!room:interieur.example.org';

describe('the event decoder', () => {
  it('reads a message', () => {
    const event = rawEvent({ unsigned: { age: 12, other: {} }, extra: 1 });
    assert.deepEqual(decodeEvent(event), {
      ok: true,
      value: { type: 'message', eventId: event.event_id, room, sender: alice, ageMs: 12, sentAtMs, msgtype: 'm.text', body: '!visio', isEdit: false, thread: undefined },
    });
  });

  it('reads a membership with the one before', () => {
    const event = rawMember('@bob:finances.example.org', 'leave', { unsigned: { prev_content: { membership: 'join', displayname: null } } });
    assert.deepEqual(decodeEvent(event), {
      ok: true,
      value: { type: 'member', eventId: event.event_id, room, sender: alice, ageMs: undefined, sentAtMs, user: '@bob:finances.example.org', membership: 'leave', before: 'join' },
    });
  });

  it('reads a tombstone, power levels, name and encryption', () => {
    const types = [
      rawEvent({ type: 'm.room.tombstone', state_key: '', content: { body: 'x', replacement_room: '!new' } }),
      rawEvent({ type: 'm.room.power_levels', state_key: '', content: {} }),
      rawEvent({ type: 'm.room.name', state_key: '', content: { name: 'x' } }),
      rawEvent({ type: 'm.room.encryption', state_key: '', content: { algorithm: 'x' } }),
    ].map((event) => {
      const decoded = decodeEvent(event);
      return decoded.ok ? [decoded.value?.type, decoded.value?.type === 'tombstone' ? decoded.value.replacement : undefined] : decoded.error;
    });
    assert.deepEqual(types, [['tombstone', '!new'], ['powerLevels', undefined], ['name', undefined], ['encryption', undefined]]);
  });

  const edits: Readonly<Record<string, object>> = {
    'a replacement': { 'm.relates_to': { rel_type: 'm.replace', event_id: '$x' } },
    'new content alone': { 'm.new_content': { msgtype: 'm.text', body: '!visio' } },
    'new content that is no object': { 'm.new_content': 'x' },
  };
  for (const [what, more] of Object.entries(edits)) {
    it(`takes ${what} for an edit`, () => {
      const decoded = decodeEvent(rawEvent({ content: { msgtype: 'm.text', body: '!visio', ...more } }));
      assert.ok(decoded.ok && decoded.value?.type === 'message' && decoded.value.isEdit);
    });
  }

  it('notes the thread of a message', () => {
    const decoded = decodeEvent(rawEvent({ content: { msgtype: 'm.text', body: '!visio', 'm.relates_to': { rel_type: 'm.thread', event_id: '$root' } } }));
    assert.ok(decoded.ok && decoded.value?.type === 'message');
    assert.deepEqual([decoded.value.thread, decoded.value.isEdit], ['$root', false]);
  });

  const ignored: Readonly<Record<string, object>> = {
    'other types': rawEvent({ type: 'm.reaction' }),
    'redacted messages': rawEvent({ content: {} }),
    'messages without a text body': rawEvent({ content: { msgtype: 'm.text', body: 7 } }),
    'state of another key': rawEvent({ type: 'm.room.tombstone', state_key: 'x', content: { replacement_room: '!new' } }),
    'power levels that are no state': rawEvent({ type: 'm.room.power_levels' }),
    'the prototype as a type': rawEvent({ type: '__proto__' }),
  };
  for (const [what, event] of Object.entries(ignored)) it(`ignores ${what}`, () => assert.deepEqual(decodeEvent(event), { ok: true, value: undefined }));

  const malformed: Readonly<Record<string, unknown>> = {
    'nothing': undefined,
    'null': null,
    'a text': '!visio',
    'a list': [rawEvent()],
    'no event id': { ...rawEvent(), event_id: undefined },
    'an event id that is none': rawEvent({ event_id: 'x' }),
    'a room that is none': rawEvent({ room_id: '#alias:example.org' }),
    'a room with a line break': rawEvent({ room_id: '!a\r\nb:example.org' }),
    'a sender that is none': rawEvent({ sender: 'alice' }),
    'a sender with a blank': rawEvent({ sender: '@al ice:example.org' }),
    'a list as content': rawEvent({ content: [] }),
    'no time': rawEvent({ origin_server_ts: 'yesterday' }),
    'a negative time': rawEvent({ origin_server_ts: -1 }),
    'a member that is no user': rawMember('bob', 'join'),
    'a member without membership': rawMember('@bob:x.example', 'x', { content: {} }),
    'an unknown membership': rawMember('@bob:x.example', 'JOIN'),
    'a tombstone to nowhere': rawEvent({ type: 'm.room.tombstone', state_key: '', content: {} }),
    'a tombstone to an alias': rawEvent({ type: 'm.room.tombstone', state_key: '', content: { replacement_room: '#a:x.example' } }),
  };
  for (const [what, event] of Object.entries(malformed)) {
    it(`refuses ${what}, with a reference for the log`, () => {
      const decoded = decodeEvent(event);
      assert.ok(!decoded.ok);
      assert.match(decoded.error.ref, /^[a-z2-9]{8}$/);
      assert.doesNotMatch(decoded.error.detail, /[\r\n]/);
    });
  }

  it('never throws, whatever comes, and leaves prototypes alone', () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.json().map((text): unknown => JSON.parse(text)), fc.record({ type: fc.constantFrom('m.room.member', 'm.room.message', '__proto__'), content: fc.anything(), unsigned: fc.anything(), state_key: fc.anything() }).map((part) => rawEvent(part))), (event) => {
        decodeEvent(event);
      }),
      { numRuns: 1_000 },
    );
    decodeEvent(JSON.parse(JSON.stringify(rawEvent()).replace('"content":{', '"__proto__":{"polluted":1},"content":{"__proto__":{"polluted":1},')));
    assert.equal('polluted' in {}, false);
  });
});

describe('a name on one line', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['Alice Bernard', 'Alice Bernard'],
    ['  Alice \t Bernard ', 'Alice Bernard'],
    ['Alice\r\n!visio end', 'Alice !visio end'],
    ['a\u0000b\u001b[31mc\u007fd\u0085e', 'a b [31mc d e'],
    ['a\u202Egpj.exe', 'a gpj.exe'],
    ['a\u2066b\u2069\u200F\u200Ec\u2028d\u061Ce', 'a b c d e'],
    ['👩‍🚒 Zoé', '👩‍🚒 Zoé'],
    ['\u0000\n', ''],
    ['x'.repeat(300), 'x'.repeat(200)],
    [`${'x'.repeat(199)}😀`, 'x'.repeat(199)],
  ];
  for (const [given, expected] of rows) it(JSON.stringify(given.slice(0, 40)), () => assert.equal(oneLine(given), expected));
});
