// Owns the conformance suite of what two media planes share: expected tracks, demand and pipes, tried without a single packet.
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ServerName, TrackId } from '../../src/call/ids.ts';
import type { CallMedia, CallMediaListener, EndpointListener, MediaEndpoint, MediaPipe, MediaPlane, PipeOffer } from '../../src/control/ports/media-plane.ts';
import { callId, participantId, serverName, trackId } from '../support/builders.ts';
import { eventually } from '../support/eventually.ts';
import { opusParameters, silentListener, simulcastParameters } from '../support/media.ts';

const interieur = serverName('interieur.example.org');
const finances = serverName('finances.example.org');
const defense = serverName('defense.example.org');
const alice = participantId('PA_alice');
const bob = participantId('PA_bobby');
const sound = trackId('TR_sound');
const picture = trackId('TR_picture');
/** What the neighbour calls Alice's picture and sound. */
const farPicture = trackId('TR_far_picture');
const farSound = trackId('TR_far_sound');
const expected = new Map([[farPicture, 'video'], [farSound, 'audio']] as const);

interface Side {
  readonly call: CallMedia;
  readonly demands: string[];
  pipe(peer: ServerName): Promise<MediaPipe>;
  endpoint(id: typeof alice, listener?: Partial<EndpointListener>): Promise<MediaEndpoint>;
}

/** Two calls of one plane stand for the calls of two bridges: what crosses does not know the difference. */
export function mediaPipeConformance(name: string, use: () => MediaPlane): void {
  describe(`MediaPipe: ${name}`, () => {
    let here: Side;
    let there: Side;
    const open = async (id: string): Promise<Side> => {
      const demands: string[] = [];
      const listener: CallMediaListener = {
        speakersChanged: () => undefined,
        mediaLost: () => undefined,
        demandChanged: (track, demand) => demands.push(`${track} ${demand === undefined ? 'nobody' : String(demand.layer)}`),
      };
      const call = await use().open(callId(id), listener);
      return {
        call,
        demands,
        pipe: (peer) => call.pipe(peer),
        endpoint: (participant, change = {}) => call.endpoint(participant, { ...silentListener, ...change }),
      };
    };
    const linked = async (): Promise<readonly [MediaPipe, MediaPipe]> => {
      const [out, back] = [await here.pipe(finances), await there.pipe(interieur)];
      await Promise.all([out.connect(back.local), back.connect(out.local)]);
      return [out, back];
    };
    const publish = async (): Promise<MediaEndpoint> => {
      const publisher = await here.endpoint(alice);
      await publisher.produce(picture, { kind: 'video', rtpParameters: simulcastParameters(), paused: false, speech: false });
      await publisher.produce(sound, { kind: 'audio', rtpParameters: opusParameters(1_001), paused: true, speech: true });
      return publisher;
    };
    const sent = async (pipe: MediaPipe, track: TrackId): Promise<PipeOffer> => await pipe.send(track, undefined) ?? assert.fail(`${track} is not sent`);
    /** What goes over the link is JSON. */
    const overLink = (offer: PipeOffer): PipeOffer => ({ ...offer, rtp: structuredClone(offer.rtp) });

    beforeEach(async () => {
      here = await open('C_here0000');
      there = await open('C_there000');
    });

    afterEach(() => {
      here.call.close();
      there.call.close();
    });

    it('tells what is wanted of a neighbour: by those who wait, up to the layer they want, and when nobody does any more', async () => {
      there.call.expect(interieur, expected);
      const viewer = await there.endpoint(bob);
      assert.equal(await viewer.consume(farPicture, '1'), undefined);
      assert.ok(viewer.waitsFor(farPicture));
      await nextTurn();
      await viewer.setPreferredLayers(farPicture, { spatialLayer: 0 });
      await nextTurn();
      assert.equal(await viewer.consume(farSound, '2'), undefined);
      await nextTurn();
      await viewer.setConsumerPaused(farPicture, true);
      await nextTurn();
      viewer.close();
      await nextTurn();
      assert.deepEqual(there.demands, [`${farPicture} 2`, `${farPicture} 0`, `${farSound} undefined`, `${farPicture} nobody`, `${farSound} nobody`]);
      assert.equal(viewer.waitsFor(farSound), false);
    });

    it('does not wait for what nobody has', async () => {
      there.call.expect(interieur, expected);
      const viewer = await there.endpoint(bob);
      assert.equal(await viewer.consume(picture, '1'), undefined);
      assert.equal(viewer.waitsFor(picture), false);
      await viewer.consume(farPicture, '2');
      there.call.expect(interieur, new Map());
      assert.equal(viewer.waitsFor(farPicture), false);
    });

    it('tells sessions that a track can be asked for, and that it has come', async () => {
      await publish();
      const [out, back] = await linked();
      const available: string[] = [];
      const viewer = await there.endpoint(bob, { trackAvailable: (track) => available.push(track) });
      there.call.expect(interieur, expected);
      assert.deepEqual(available.splice(0), [farPicture, farSound]);
      await viewer.consume(farPicture, '1');
      await back.receive(farPicture, overLink(await sent(out, picture)));
      assert.deepEqual(available, [farPicture]);
      const description = await viewer.consume(farPicture, '2');
      assert.equal(description?.kind, 'video');
      assert.equal(description.rtpParameters.mid, '2');
      assert.equal(description.spatialLayers, 3);
      assert.equal(viewer.waitsFor(farPicture), false);
    });

    it('tells its publisher that a track is received over there', async () => {
      const consumed: string[] = [];
      const publisher = await here.endpoint(alice, { producerConsumed: (track) => consumed.push(track) });
      await publisher.produce(sound, { kind: 'audio', rtpParameters: opusParameters(1_001), paused: false, speech: true });
      const [out] = await linked();
      await out.send(sound, undefined);
      assert.deepEqual(consumed, [sound]);
    });

    it('offers a track with all its layers and its mute, and the same however often it is sent and stopped', async () => {
      await publish();
      const [out] = await linked();
      const [first, again] = await Promise.all([sent(out, picture), sent(out, picture)]);
      assert.deepEqual(again, first);
      assert.deepEqual([first.kind, first.paused, first.rtp.encodings?.length], ['video', false, 3]);
      assert.ok(first.rtp.encodings?.every(({ ssrc, rtx }) => ssrc !== undefined && rtx !== undefined), 'losses are repaired');
      out.stopSending(picture);
      out.stopSending(trackId('TR_never'));
      assert.deepEqual(await sent(out, picture), first);
      assert.deepEqual(await sent(out, sound).then(({ kind, paused }) => [kind, paused]), ['audio', true]);
    });

    it('sends what is there and ours: nothing unknown, nothing that has ended, nothing of another neighbour', async () => {
      const publisher = await publish();
      const [out, back] = await linked();
      there.call.expect(interieur, expected);
      assert.equal(await out.send(farPicture, 2), undefined);
      await back.receive(farPicture, overLink(await sent(out, picture)));
      const onward = await there.pipe(defense);
      assert.equal(await onward.send(farPicture, 2), undefined);
      publisher.closeProducer(picture);
      assert.equal(await out.send(picture, 2), undefined);
      out.stopSending(picture);
    });

    it('receives only what is expected of that neighbour, as what it is expected', async () => {
      await publish();
      const [out, back] = await linked();
      const [video, audio] = [await sent(out, picture), await sent(out, sound)];
      await assert.rejects(back.receive(farPicture, video), /not expected/);
      there.call.expect(defense, expected);
      await assert.rejects(back.receive(farPicture, video), /not expected/);
      there.call.expect(defense, new Map());
      there.call.expect(interieur, expected);
      await assert.rejects(back.receive(farPicture, audio), /not expected/);
      await assert.rejects(back.receive(farPicture, { ...video, rtp: { ...video.rtp, encodings: [1, 2, 3, 4].map((ssrc) => ({ ssrc })) } }), /4 encodings/);
      await assert.rejects(back.receive(farPicture, { ...video, rtp: { ...video.rtp, codecs: [] } }));
      await back.receive(farPicture, video);
      await assert.rejects(back.receive(farSound, { ...audio, rtp: { ...audio.rtp, encodings: [{ ssrc: video.rtp.encodings?.[0]?.ssrc ?? 0 }] } }), 'the same stream twice');
      await back.receive(farSound, audio);
    });

    it('closes what a neighbour has no more, as if its producer had gone', async () => {
      await publish();
      const [out, back] = await linked();
      there.call.expect(interieur, expected);
      const closed: string[] = [];
      const viewer = await there.endpoint(bob, { consumerClosed: (track) => closed.push(track) });
      await back.receive(farPicture, overLink(await sent(out, picture)));
      await viewer.consume(farPicture, '1');
      there.call.expect(interieur, new Map([[farSound, 'audio']]));
      await eventually(() => (closed.includes(farPicture) ? undefined : 'the consumer is not closed'));
      assert.equal(viewer.waitsFor(farPicture), false);
      assert.equal(await viewer.consume(farPicture, '2'), undefined);
      await assert.rejects(back.receive(farPicture, await sent(out, picture)), /not expected/);
    });

    it('leaves the consumers of those who paused when a neighbour stops, and nothing when nobody asks', async () => {
      await publish();
      const [out, back] = await linked();
      there.call.expect(interieur, expected);
      const offers = { picture: await sent(out, picture), sound: await sent(out, sound) };
      const closed: string[] = [];
      const viewer = await there.endpoint(bob, { consumerClosed: (track) => closed.push(track) });
      await back.receive(farPicture, overLink(offers.picture));
      await back.receive(farSound, overLink(offers.sound));
      await viewer.consume(farPicture, '1');
      await viewer.setConsumerPaused(farPicture, true);
      back.stopReceiving(farPicture);
      back.stopReceiving(farSound);
      await back.receive(farPicture, overLink(offers.picture));
      const other = await there.endpoint(participantId('PA_carol'));
      assert.equal((await other.consume(farPicture, '1'))?.spatialLayers, 3);
      assert.equal(await other.consume(farSound, '2'), undefined, 'nobody had asked for it');
      assert.ok(other.waitsFor(farSound));
      await back.receive(farSound, overLink(offers.sound));
      assert.equal((await other.consume(farSound, '3'))?.kind, 'audio');
      assert.deepEqual(closed, []);
    });

    it('replaces what it receives when it is offered otherwise: who had it waits for it', async () => {
      await publish();
      const [out, back] = await linked();
      there.call.expect(interieur, expected);
      const heard: string[] = [];
      const viewer = await there.endpoint(bob, {
        consumerClosed: () => heard.push(`closed, waits: ${viewer.waitsFor(farPicture)}`),
        trackAvailable: () => heard.push('available'),
      });
      const offer = await sent(out, picture);
      await back.receive(farPicture, overLink(offer));
      await viewer.consume(farPicture, '1');
      await back.receive(farPicture, overLink(offer));
      assert.deepEqual(heard, []);
      const otherwise = { ...offer, rtp: { ...offer.rtp, encodings: (offer.rtp.encodings ?? []).map((encoding, i) => ({ ...encoding, ssrc: 5_000 + i, rtx: { ssrc: 6_000 + i } })) } };
      await back.receive(farPicture, otherwise);
      assert.deepEqual(heard, ['closed, waits: true', 'available']);
      assert.equal((await viewer.consume(farPicture, '2'))?.spatialLayers, 3);
    });

    it('gives the same pipe for the same neighbour until it is closed, and another to another', async () => {
      const [one, same] = await Promise.all([here.pipe(finances), here.pipe(finances)]);
      const other = await here.pipe(defense);
      assert.equal(one, same);
      assert.notEqual(one.local.port, other.local.port);
      assert.notEqual(one.local.srtp.key, other.local.srtp.key);
      assert.equal(Buffer.from(one.local.srtp.key, 'base64').length, 44);
      one.close();
      one.close();
      assert.ok(one.closed);
      const next = await here.pipe(finances);
      assert.notEqual(next, one);
      assert.notEqual(next.local.srtp.key, one.local.srtp.key);
    });

    it('connects once, and only to what it can send to', async () => {
      const { local } = await there.pipe(interieur);
      const pipe = await here.pipe(finances);
      const wrong: readonly (readonly [RegExp, object])[] = [
        [/same family/, { address: '::1' }],
        [/same family/, { address: 'media.example.org' }],
        [/port 0/, { port: 0 }],
        [/port 65536/, { port: 65_536 }],
        [/needs AEAD_AES_256_GCM/, { srtp: { ...local.srtp, suite: 'AES_CM_128_HMAC_SHA1_80' } }],
        [/44 bytes of base64/, { srtp: { ...local.srtp, key: local.srtp.key.slice(4) } }],
        [/44 bytes of base64/, { srtp: { ...local.srtp, key: `${local.srtp.key.slice(0, -2)}*=` } }],
      ];
      for (const [words, change] of wrong) await assert.rejects(pipe.connect({ ...local, ...change }), words);
      await pipe.connect(local);
      await assert.rejects(pipe.connect(local), /connected already/);
    });

    it('takes what it received along when it closes, and tells again what is wanted when it is opened anew', async () => {
      await publish();
      const [out, back] = await linked();
      there.call.expect(interieur, expected);
      const closed: string[] = [];
      const viewer = await there.endpoint(bob, { consumerClosed: (track) => closed.push(track) });
      await back.receive(farPicture, overLink(await sent(out, picture)));
      await viewer.consume(farPicture, '1');
      await nextTurn();
      assert.deepEqual(there.demands.splice(0), [`${farPicture} 2`]);
      back.close();
      await eventually(() => (closed.includes(farPicture) ? undefined : 'the consumer is not closed'));
      assert.ok(viewer.waitsFor(farPicture));
      await assert.rejects(back.send(picture, 2), /is closed/);
      await assert.rejects(back.receive(farPicture, await sent(out, picture)), /is closed/);
      await assert.rejects(back.connect(out.local), /is closed/);
      back.stopSending(picture);
      back.stopReceiving(farPicture);
      assert.deepEqual(there.demands, []);
      await there.pipe(interieur);
      await nextTurn();
      assert.deepEqual(there.demands, [`${farPicture} 2`]);
    });

    it('is over with its call', async () => {
      const [out] = await linked();
      here.call.close();
      assert.ok(out.closed);
      await assert.rejects(here.pipe(finances), /is closed/);
      assert.deepEqual(await out.traffic(), { bytesSent: 0, bytesReceived: 0 });
      assert.deepEqual(await out.stats(), { bytesSent: 0, bytesReceived: 0, packetsSent: 0, packetsReceived: 0, packetsLost: 0, packetsRepaired: 0, roundTripMs: undefined });
      here.call.expect(finances, expected);
    });

    it('is not opened by a call that closes meanwhile', async () => {
      const opening = here.pipe(finances);
      here.call.close();
      await assert.rejects(opening);
    });
  });
}
