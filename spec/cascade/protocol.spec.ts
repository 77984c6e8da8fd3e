// Owns the proof that frames are read and written as docs/protocol/cascade.md says, whatever comes.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { z } from 'zod';
import { decodeFrame } from '../../src/cascade/decode.ts';
import { encodeBye, encodeHello, encodeMessage } from '../../src/cascade/encode.ts';
import { byeCodes } from '../../src/cascade/frames.ts';
import { Rate } from '../../src/cascade/rate.ts';
import { agreeOn, parseVersion } from '../../src/cascade/version.ts';
import type { PeerMessage, PeerPerson } from '../../src/control/ports/peer-links.ts';
import { alice, bob, participantId, roomId, serverName, theRoom, trackId } from '../support/builders.ts';

const limits = { people: 500, tracksPerPerson: 12 };
const here = serverName('interieur.example.org');
const camera: PeerPerson['tracks'][number] = {
  id: trackId('TR_camera01'), kind: 'video', source: 'camera', name: 'camera', stream: 'camera', muted: false, width: 1280, height: 720, encryption: 'gcm',
  layers: [{ quality: 'low', width: 320, height: 180, bitrateBps: 120_000 }, { quality: 'high', width: 1280, height: 720, bitrateBps: 1_700_000 }], audioFeatures: [],
};
const microphone: PeerPerson['tracks'][number] = { ...camera, id: trackId('TR_micro001'), kind: 'audio', source: 'microphone', width: 0, height: 0, encryption: 'none', layers: [], audioFeatures: [0, 4] };
const person = (change: Partial<PeerPerson> = {}): PeerPerson => ({ id: participantId('PA_alice001'), user: alice, device: 7, name: 'Alice', joinedAtMs: 1_764_000_000_000, active: true, metadata: '{"hand":1}', attributes: new Map([['k', 'v'], ['é', '🖐']]), tracks: [camera, microphone], ...change });
const rtp: Extract<PeerMessage, { type: 'offer' }>['rtp'] = {
  mid: '0',
  codecs: [{ mimeType: 'video/VP8', payloadType: 101, clockRate: 90_000, parameters: { 'x-google-start-bitrate': 1_000, flag: true, none: null, text: 'a' }, rtcpFeedback: [{ type: 'nack', parameter: 'pli' }, { type: 'transport-cc' }] }, { mimeType: 'video/rtx', payloadType: 102, clockRate: 90_000, parameters: { apt: 101 }, rtcpFeedback: [] }],
  headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 1, encrypt: false, parameters: {} }],
  encodings: [{ ssrc: 1_111, rtx: { ssrc: 4_294_967_295 }, scalabilityMode: 'L1T3', dtx: false, maxBitrate: 1 }, { rid: 'h', codecPayloadType: 101 }],
  rtcp: { cname: 'c', reducedSize: true },
};
const srtp = { suite: 'AEAD_AES_256_GCM', key: `${'Ab+/'.repeat(14)}abc=` } as const;

const messages: readonly PeerMessage[] = [
  { type: 'call', room: theRoom, startedBy: alice, startedAtMs: 1_764_000_000_000, owner: here, term: 3, page: 'https://visio.example.org/c/abcdefghijklmnopqrst' },
  { type: 'callRefused', room: theRoom, code: 'forbidden' },
  { type: 'people', room: theRoom, people: [person(), person({ id: participantId('PA_bob00001'), tracks: [], attributes: new Map(), active: false, awaited: true })] },
  { type: 'people', room: theRoom, people: [] },
  { type: 'person', room: roomId('!opaque'), person: person() },
  { type: 'gone', room: theRoom, id: participantId('PA_alice001'), reason: 'membershipLost' },
  { type: 'speakers', room: theRoom, speakers: [{ id: participantId('PA_alice001'), level: 0.25 }] },
  { type: 'quality', room: theRoom, id: participantId('PA_alice001'), level: 'poor', score: 1.5 },
  { type: 'media', room: theRoom, address: '192.0.2.10', port: 40_001, srtp },
  { type: 'media', room: theRoom, address: '2001:db8::1', port: 40_001, srtp },
  { type: 'want', room: theRoom, track: trackId('TR_camera01'), layer: 2 },
  { type: 'want', room: theRoom, track: trackId('TR_micro001'), layer: undefined },
  { type: 'unwant', room: theRoom, track: trackId('TR_camera01') },
  { type: 'offer', room: theRoom, track: trackId('TR_camera01'), kind: 'video', rtp, paused: true },
  { type: 'refused', room: theRoom, track: trackId('TR_camera01'), code: 'limit' },
  { type: 'ticket', request: 17, room: theRoom, user: bob, device: 'BOBSDEVICE' },
  { type: 'ticketAnswer', request: 17, answer: { url: 'wss://visio.finances.example.org', ticket: 'eyJ' } },
  { type: 'ticketAnswer', request: 17, answer: { code: 'unavailable' } },
  { type: 'end', room: theRoom, by: bob, atMs: 5 },
  { type: 'leave', room: theRoom },
  { type: 'path', room: theRoom, passes: false },
];

function read(text: string, told = limits) {
  const decoded = decodeFrame(text, told);
  if (!decoded.ok) throw new Error(decoded.error);
  return decoded.value;
}
const faultOf = (frame: unknown): string => {
  const decoded = decodeFrame(JSON.stringify(frame), limits);
  return decoded.ok ? 'taken' : decoded.error;
};
const only = (frames: readonly string[]): string => {
  assert.equal(frames.length, 1);
  return frames[0] ?? '';
};

describe('the cascade\'s protocol', () => {
  describe('round trip', () => {
    for (const message of messages) {
      it(`of ${JSON.stringify(message).slice(0, 80)}`, () => {
        assert.deepEqual(read(only(encodeMessage(message))), { frame: message, leftOut: 0 });
      });
    }

    it('covers every message', () => {
      const types: Record<PeerMessage['type'], true> = { call: true, callRefused: true, people: true, person: true, gone: true, speakers: true, quality: true, media: true, want: true, unwant: true, offer: true, refused: true, ticket: true, ticketAnswer: true, end: true, leave: true, path: true };
      assert.deepEqual([...new Set(messages.map(({ type }) => type))].sort(), Object.keys(types).sort());
    });

    it('of hello and bye', () => {
      const hello = { type: 'hello', version: '1.0', serverName: here, limits: { people: 1, tracksPerPerson: 2, framesPerSecond: 30, bytesPerSecond: 70_000 } } as const;
      assert.deepEqual(read(encodeHello(hello)).frame, hello);
      for (const code of byeCodes) assert.deepEqual(read(encodeBye({ code, text: 'why' })).frame, { type: 'bye', code, text: 'why' });
    });

    const text = fc.string({ unit: 'binary', maxLength: 40 });
    const people = fc.array(
      fc.record({ name: text, metadata: text, key: text.filter((key) => key !== '__proto__'), device: fc.nat(), active: fc.boolean(), joinedAtMs: fc.nat(), muted: fc.boolean(), width: fc.nat() }).map(({ key, muted, width, ...rest }) => person({ ...rest, attributes: new Map([[key, rest.metadata]]), tracks: [{ ...camera, muted, width, name: rest.name }] })),
      { maxLength: 20 },
    );
    it('of any people', () => {
      fc.assert(fc.property(people, (list) => {
        // Half characters come back as they were: JSON escapes them.
        assert.deepEqual(read(only(encodeMessage({ type: 'people', room: theRoom, people: list }))).frame, { type: 'people', room: theRoom, people: list });
      }));
    });
  });

  describe('reading', () => {
    it('never throws and never takes what is no frame: any text', () => {
      fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
        const decoded = decodeFrame(text, limits);
        assert.ok(!decoded.ok || typeof JSON.parse(text) === 'object');
      }));
    });

    it('never throws: any JSON', () => {
      fc.assert(fc.property(fc.json({ maxDepth: 6 }), (text) => void decodeFrame(text, limits)), { numRuns: 500 });
    });

    it('never throws: any JSON with a type and members of ours', () => {
      const type = fc.constantFrom(...messages.map((message) => message.type), 'hello', 'bye', '__proto__', 'constructor', 'toString');
      const members = fc.dictionary(fc.constantFrom('room', 'people', 'person', 'id', 'track', 'rtp', 'request', 'code', 'url', 'limits', 'srtp', 'speakers', '__proto__'), fc.jsonValue({ maxDepth: 3 }));
      fc.assert(fc.property(type, members, (name, rest) => void decodeFrame(JSON.stringify({ ...rest, type: name }), limits)), { numRuns: 1_000 });
    });

    it('never throws: a message of which one value was exchanged', () => {
      fc.assert(fc.property(fc.constantFrom(...messages), fc.nat(60), fc.jsonValue({ maxDepth: 2 }), (message, which, value) => {
        let index = 0;
        const wire: unknown = JSON.parse(only(encodeMessage(message)), (_key, inner: unknown) => (index++ === which ? value : inner));
        const decoded = decodeFrame(JSON.stringify(wire), limits);
        assert.ok(decoded.ok || decoded.error.length <= 400);
      }), { numRuns: 2_000 });
    });

    it('bears the deepest nesting that fits into a frame', () => {
      const depth = 130_000;
      assert.equal(decodeFrame(`${'['.repeat(depth)}${']'.repeat(depth)}`, limits).ok, false);
      assert.equal(read(`{"type":"leave","room":"!r:x.example","x":${'['.repeat(depth)}${']'.repeat(depth)}}`).frame?.type, 'leave');
    });

    it('ignores types and members that it does not know, at every level', () => {
      assert.deepEqual(read('{"type":"future","x":1}'), { frame: undefined, leftOut: 0 });
      for (const message of messages) {
        const grown: unknown = JSON.parse(only(encodeMessage(message)), (key, value: unknown) => (typeof value === 'object' && value !== null && !Array.isArray(value) && key !== 'attributes' && key !== 'parameters' ? { ...value, future: 1 } : value));
        assert.deepEqual(read(JSON.stringify(grown)).frame, message, message.type);
      }
    });

    it('reads words that minor versions add as something else', () => {
      const written = only(encodeMessage({ type: 'person', room: theRoom, person: person() }));
      const frame = read(written.replace('"source":"camera"', '"source":"hologram"')).frame;
      assert.equal(frame?.type === 'person' && frame.person.tracks[0]?.source, 'unknown');
      assert.deepEqual(read(JSON.stringify({ type: 'gone', room: theRoom, id: 'PA_1', reason: 'tired' })).frame, { type: 'gone', room: theRoom, id: 'PA_1', reason: 'other' });
      assert.deepEqual(read('{"type":"bye","code":"tired"}').frame, { type: 'bye', code: 'other', text: '' });
    });

    it('reads a call without a term as the first', () => {
      const frame = read(JSON.stringify({ type: 'call', room: theRoom, startedBy: alice, startedAt: 1, owner: here })).frame;
      assert.equal(frame?.type === 'call' && frame.term, 0);
      assert.equal(frame?.type === 'call' && frame.page, undefined);
    });

    for (const page of ['ftp://visio.example.org/c/x', 'visio.example.org', 'https://user:secret@visio.example.org/c/x', 'https://visio.example.org/c/x?to=y', 'https://visio.example.org/c/x#y', `https://visio.example.org/${'x'.repeat(2048)}`, 17]) {
      it(`takes a call whose page is ${String(page).slice(0, 60)}, but not the page`, () => {
        const frame = read(JSON.stringify({ type: 'call', room: theRoom, startedBy: alice, startedAt: 1, owner: here, page })).frame;
        assert.equal(frame?.type, 'call');
        assert.equal(frame.page, undefined);
      });
    }

    it('leaves out header extensions that the media plane does not know', () => {
      const wire = { type: 'offer', room: theRoom, track: 'TR_1', kind: 'video', paused: false, rtp: { codecs: rtp.codecs, headerExtensions: [{ uri: 'urn:future', id: 3 }, { uri: 'urn:ietf:params:rtp-hdrext:toffset', id: 4 }] } };
      const frame = read(JSON.stringify(wire)).frame;
      assert.deepEqual(frame?.type === 'offer' && frame.rtp.headerExtensions, [{ uri: 'urn:ietf:params:rtp-hdrext:toffset', id: 4 }]);
    });

    const wirePerson = z.object({ person: z.looseObject({}) }).parse(JSON.parse(only(encodeMessage({ type: 'person', room: theRoom, person: person() })))).person;
    const onePerson = (change: object) => ({ type: 'person', room: theRoom, person: { ...wirePerson, ...change } });
    const oneTrack = (change: object) => onePerson({ tracks: [{ ...camera, ...change }] });
    const oneOffer = (change: object) => ({ type: 'offer', room: theRoom, track: 'TR_1', kind: 'video', paused: false, rtp: { ...rtp, ...change } });
    const media = { type: 'media', room: theRoom, address: '192.0.2.10', port: 1, srtp };
    const refused: readonly (readonly [what: string, frame: unknown, fault: RegExp])[] = [
      ['an id with other characters', onePerson({ id: 'PA 1' }), /person\.id/],
      ['an empty id', onePerson({ id: '' }), /person\.id/],
      ['an id of 65 characters', onePerson({ id: 'x'.repeat(65) }), /person\.id/],
      ['a user that is none', onePerson({ user: 'alice' }), /person\.user/],
      ['a device that is no number', onePerson({ device: 'LAPTOP' }), /person\.device/],
      ['a time before 1970', onePerson({ joinedAt: -1 }), /person\.joinedAt/],
      ['a time with a fraction', onePerson({ joinedAt: 1.5 }), /person\.joinedAt/],
      ['an attribute that is no text', onePerson({ attributes: { a: 1 } }), /person\.attributes/],
      ['tracks that are no list', onePerson({ tracks: {} }), /person\.tracks/],
      ['an unknown kind of track', oneTrack({ kind: 'smell' }), /tracks\.0\.kind/],
      ['an unknown encryption', oneTrack({ encryption: 'rot13' }), /tracks\.0\.encryption/],
      ['a width over 32 bits', oneTrack({ width: 2 ** 32 }), /tracks\.0\.width/],
      ['one bad person of many', { type: 'people', room: theRoom, people: [onePerson({}).person, { id: 1 }] }, /people\.1/],
      ['a level over 1', { type: 'speakers', room: theRoom, speakers: [{ id: 'PA_1', level: 1.1 }] }, /level/],
      ['a score over 5', { type: 'quality', room: theRoom, id: 'PA_1', level: 'good', score: 6 }, /score/],
      ['a layer over 2', { type: 'want', room: theRoom, track: 'TR_1', layer: 3 }, /layer/],
      ['a name for an address', { ...media, address: 'visio.example.org' }, /address/],
      ['port 0', { ...media, port: 0 }, /port/],
      ['port 65536', { ...media, port: 65_536 }, /port/],
      ['another suite', { ...media, srtp: { ...srtp, suite: 'AES_CM_128_HMAC_SHA1_80' } }, /srtp\.suite/],
      ['a short key', { ...media, srtp: { ...srtp, key: 'AAAA' } }, /srtp\.key/],
      ['no codec', oneOffer({ codecs: [] }), /rtp\.codecs/],
      ['too many codecs', oneOffer({ codecs: Array.from({ length: 17 }, () => rtp.codecs[0]) }), /rtp\.codecs/],
      ['too many encodings', oneOffer({ encodings: Array.from({ length: 9 }, () => ({ ssrc: 1 })) }), /rtp\.encodings/],
      ['an SSRC over 32 bits', oneOffer({ encodings: [{ ssrc: 2 ** 32 }] }), /ssrc/],
      ['a payload type over 127', oneOffer({ codecs: [{ ...rtp.codecs[0], payloadType: 128 }] }), /payloadType/],
      ['codec parameters with objects', oneOffer({ codecs: [{ ...rtp.codecs[0], parameters: { a: {} } }] }), /parameters/],
      ['a ticket for nobody', { type: 'ticket', request: 1, room: theRoom, user: bob, device: '' }, /device/],
      ['an answer with neither ticket nor code', { type: 'ticketAnswer', request: 1 }, /ticketAnswer/],
      ['an answer with another kind of address', { type: 'ticketAnswer', request: 1, url: 'javascript:alert(1)', ticket: 'x' }, /ticketAnswer/],
      ['an owner that is no server', { type: 'call', room: theRoom, startedBy: alice, startedAt: 1, owner: 'a b' }, /owner/],
      ['a call started by nobody', { type: 'call', room: theRoom, startedAt: 1, owner: here }, /startedBy/],
    ];
    for (const [what, frame, fault] of refused) {
      it(`refuses ${what}, and says where`, () => {
        assert.match(faultOf(frame), fault);
      });
    }

    it('says of a fault nothing that was sent, and nothing that a terminal would obey', () => {
      const fault = faultOf(onePerson({ attributes: { '\u001b[31m\nred': 1 }, user: 'secret-value' }));
      assert.doesNotMatch(fault, /secret-value|\u001b|\n/);
    });
  });

  describe('limits', () => {
    const back = (change: Partial<PeerPerson>) => {
      const frame = read(only(encodeMessage({ type: 'person', room: theRoom, person: person(change) }))).frame;
      assert.ok(frame?.type === 'person');
      return frame.person;
    };

    it('are kept by whoever writes, whatever our own clients say', () => {
      assert.equal(back({ metadata: 'x'.repeat(65_536) }).metadata.length, 65_536);
      assert.equal(back({ metadata: 'x'.repeat(65_537) }).metadata, '');
      assert.equal(back({ metadata: 'é'.repeat(32_769) }).metadata, '');
      assert.equal(back({ attributes: new Map([['a', 'x'.repeat(16_383)]]) }).attributes.size, 1);
      assert.equal(back({ attributes: new Map([['a', 'x'.repeat(16_384)]]) }).attributes.size, 0);
      assert.equal(back({ name: 'x'.repeat(300) }).name.length, 256);
      const crooked = back({ tracks: [{ ...camera, name: 'x'.repeat(5_000), stream: 'x'.repeat(5_000), width: Number.NaN, height: -5, layers: Array.from({ length: 20 }, () => ({ quality: 'low' as const, width: Infinity, height: 0, bitrateBps: 1e12 })), audioFeatures: Array.from({ length: 40 }, () => 1) }] }).tracks[0];
      assert.deepEqual([crooked?.name.length, crooked?.stream.length, crooked?.width, crooked?.height, crooked?.layers.length, crooked?.audioFeatures.length], [256, 256, 0, 0, 8, 16]);
      assert.deepEqual(read(only(encodeMessage({ type: 'speakers', room: theRoom, speakers: [{ id: participantId('PA_alice001'), level: 7 }] }))).frame, { type: 'speakers', room: theRoom, speakers: [{ id: 'PA_alice001', level: 1 }] });
      assert.deepEqual(read(only(encodeMessage({ type: 'gone', room: theRoom, id: participantId('PA_alice001'), reason: 'joinTimeout' }))).frame, { type: 'gone', room: theRoom, id: 'PA_alice001', reason: 'other' });
    });

    it('are kept by whoever reads', () => {
      const wire = (change: object) => JSON.stringify({ type: 'person', room: theRoom, person: { id: 'PA_1', user: alice, device: 0, name: 'x'.repeat(300), joinedAt: 1, active: true, metadata: 'x'.repeat(70_000), attributes: { a: 'x'.repeat(17_000) }, tracks: [], ...change } });
      const frame = read(wire({})).frame;
      assert.ok(frame?.type === 'person');
      assert.deepEqual([frame.person.name.length, frame.person.metadata, frame.person.attributes.size], [256, '', 0]);
    });

    it('say how many people and tracks were left out', () => {
      const text = only(encodeMessage({ type: 'people', room: theRoom, people: [person(), person(), person()] }));
      const { frame, leftOut } = read(text, { people: 2, tracksPerPerson: 1 });
      assert.ok(frame?.type === 'people');
      assert.deepEqual([frame.people.length, frame.people.map(({ tracks }) => tracks.length), leftOut], [2, [1, 1], 5]);
    });

    it('of a frame: people that do not fit into one follow one by one', () => {
      const people = Array.from({ length: 30 }, (_, index) => person({ id: participantId(`PA_${String(index).padStart(6, '0')}`), metadata: 'x'.repeat(20_000) }));
      const frames = encodeMessage({ type: 'people', room: theRoom, people });
      assert.ok(frames.length > 10);
      assert.ok(frames.every((frame) => Buffer.byteLength(frame) <= 262_144));
      const got = frames.map((frame) => read(frame).frame);
      assert.deepEqual(got.map((frame) => frame?.type), ['people', ...Array.from({ length: frames.length - 1 }, () => 'person')]);
      assert.deepEqual(got.flatMap((frame) => (frame?.type === 'people' ? frame.people : frame?.type === 'person' ? [frame.person] : [])), people);
    });

    it('of a frame: nobody is too large for it', () => {
      const large = person({ metadata: '\u0001'.repeat(65_536), attributes: new Map([['a', '\u0001'.repeat(16_000)]]), name: '\u0001'.repeat(256), tracks: Array.from({ length: 40 }, () => ({ ...camera, name: '\u0001'.repeat(256), stream: '\u0001'.repeat(256) })) });
      for (const frame of [only(encodeMessage({ type: 'person', room: theRoom, person: large })), ...encodeMessage({ type: 'people', room: theRoom, people: [large, large] })]) {
        assert.ok(Buffer.byteLength(frame) <= 262_144);
        assert.notEqual(read(frame).frame, undefined);
      }
    });

    it('of a frame: a message that can be in none is not written', () => {
      assert.throws(() => encodeMessage({ type: 'ticketAnswer', request: 1, answer: { url: 'wss://x.example', ticket: 'x'.repeat(300_000) } }), RangeError);
    });

    it('writes of a track and of a person only what the protocol names', () => {
      const track = { ...camera, clientTrackId: 'client-secret', published: true };
      const somebody = { ...person({ tracks: [track] }), identity: 'identity-secret', address: '192.0.2.77' };
      assert.doesNotMatch(only(encodeMessage({ type: 'person', room: theRoom, person: somebody })), /secret|published|192\.0\.2\.77/);
      const offer = { type: 'offer' as const, room: theRoom, track: camera.id, kind: 'video' as const, paused: false, rtp: { ...rtp, msid: 'msid-secret' } };
      assert.doesNotMatch(only(encodeMessage(offer)), /secret/);
    });
  });

  describe('versions', () => {
    const rows: readonly (readonly [ours: string[], theirs: string[], agreed: string | undefined])[] = [
      [['1.0'], ['1.0'], '1.0'],
      [['1.0'], ['1.7'], '1.0'],
      [['1.3'], ['1.1', '1.2'], '1.2'],
      [['1.5', '2.0'], ['1.9', '2.4'], '2.0'],
      [['1.0'], ['2.0'], undefined],
      [['1.0'], ['1', 'x', '01.0', '1.0.0', '', '-1.0', '1.100000'], undefined],
      [['1.0'], [], undefined],
    ];
    for (const [ours, theirs, agreed] of rows) {
      it(`${ours.join()} and ${theirs.join() || 'none'}: ${agreed ?? 'none'}`, () => {
        assert.equal(agreeOn(ours, theirs), agreed);
        assert.equal(agreeOn(theirs, ours), agreed);
      });
    }

    it('are two numbers', () => {
      assert.deepEqual(parseVersion('12.345'), { major: 12, minor: 345 });
    });
  });

  it('counts a mean over five seconds, and never more than came in them', () => {
    fc.assert(fc.property(fc.array(fc.nat(3_000), { maxLength: 300 }), fc.integer({ min: 1, max: 10 }), (gaps, perSecond) => {
      const rate = new Rate(perSecond);
      const times: number[] = [];
      let nowMs = 1_000_000;
      for (const gap of gaps) {
        nowMs += gap;
        times.push(nowMs);
        const within = times.filter((time) => time > nowMs - 5_000).length;
        if (within <= perSecond * 5) assert.equal(rate.count(nowMs), true);
        else rate.count(nowMs);
      }
    }));
  });
});
