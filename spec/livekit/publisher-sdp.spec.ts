// Reading real clients' offers and answering them.
import assert from 'node:assert/strict';
import { parse } from 'sdp-transform';
import { readPublisherOffer, sentParameters, writePublisherAnswer, type AcceptedSection } from '../../src/livekit/publisher-sdp.ts';
import { SdpError } from '../../src/livekit/sdp-text.ts';
import { aTransport, routerCapabilities } from '../support/media.ts';
import { offerText } from '../support/offers.ts';

const capabilities = routerCapabilities();
const accepted: AcceptedSection = { dtx: true, stereo: false };
const answerTo = (sdp: string, sections: ReadonlyMap<string, AcceptedSection>) => parse(writePublisherAnswer(readPublisherOffer(sdp, capabilities), { transport: aTransport, accepted: sections, version: 1 }));

describe('An offer of Chromium', () => {
  const offer = readPublisherOffer(offerText('chromium'), capabilities);

  it('is read section by section, each with the client\'s name of its track', () => {
    assert.deepEqual(offer.sections.map(({ mid, kind, sends }) => [mid, kind, sends?.clientTrackId]), [
      ['0', 'audio', 'a4ff6fd0-3ca4-4fff-9111-41794e6bcffb'],
      ['1', 'video', '881caf71-16a0-476f-8ffc-76d10ceb5efc'],
      ['2', 'video', '6f38ee32-a6fd-4576-b5b2-acdc251226e2'],
      ['3', 'audio', '5b514c55-c11a-48a5-8526-926b76e011be'],
    ]);
    assert.deepEqual(offer.dtls, { role: 'client', fingerprints: [{ algorithm: 'sha-256', value: '93:31:E2:51:C7:7F:60:70:8F:AB:F4:AF:97:23:46:9A:00:F7:5E:13:D4:D9:DF:24:B5:27:94:4D:E7:D8:84:99' }] });
    assert.equal(offer.iceUsernameFragment, 'x5Eg');
  });

  it('is taken with opus only, in the offer\'s own numbers', () => {
    assert.deepEqual(offer.sections[0]?.sends?.rtpParameters, {
      mid: '0',
      codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2, parameters: { minptime: 10, stereo: 1, useinbandfec: 1 }, rtcpFeedback: [{ type: 'transport-cc', parameter: '' }] }],
      headerExtensions: [
        { uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 4 },
        { uri: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time', id: 2 },
        { uri: 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01', id: 3 },
        { uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', id: 1 },
      ],
      encodings: [{ ssrc: 2_914_483_315 }],
      rtcp: { reducedSize: true, cname: '/as4yt6KaDU2P7wq' },
    });
  });

  it('is taken with VP8, retransmission and the simulcast layers from the lowest', () => {
    const parameters = offer.sections[1]?.sends?.rtpParameters;
    assert.deepEqual(parameters?.codecs.map(({ mimeType, payloadType, parameters: said }) => [mimeType, payloadType, said]), [['video/VP8', 96, {}], ['video/rtx', 97, { apt: 96 }]]);
    assert.deepEqual(parameters.codecs[0]?.rtcpFeedback?.map(({ type, parameter }) => `${type} ${parameter}`.trim()), ['nack', 'nack pli', 'ccm fir', 'transport-cc']);
    assert.deepEqual(parameters.encodings, ['q', 'h', 'f'].map((rid) => ({ rid, scalabilityMode: 'L1T3' })));
  });

  it('names the streams of a track without simulcast', () => {
    assert.deepEqual(offer.sections[2]?.sends?.rtpParameters.encodings, [{ ssrc: 4_021_437_973, rtx: { ssrc: 763_361_328 } }]);
  });

  it('is answered as the passive, ICE-lite side, with one transport for all', () => {
    const answer = answerTo(offerText('chromium'), new Map(['0', '1', '2', '3'].map((mid) => [mid, accepted])));
    assert.equal(answer.icelite, 'ice-lite');
    assert.deepEqual(answer.groups, [{ type: 'BUNDLE', mids: '0 1 2 3' }]);
    for (const media of answer.media) {
      assert.equal(media.direction, 'recvonly');
      assert.equal(media.setup, 'passive');
      assert.deepEqual(media.fingerprint, { type: 'sha-256', hash: 'CC:DD' });
      assert.equal(media.iceUfrag, 'ourfragment');
      assert.deepEqual(media.candidates?.map(({ transport, tcptype }) => [transport, tcptype]), [['udp', undefined], ['tcp', 'passive']]);
    }
    const [sound, camera] = answer.media;
    assert.deepEqual(sound?.rtp, [{ payload: 111, codec: 'opus', rate: 48_000, encoding: 2 }]);
    assert.equal(sound.fmtp[0]?.config, 'minptime=10;useinbandfec=1;usedtx=1');
    assert.deepEqual(camera?.rtp.map(({ codec, payload }) => [codec, payload]), [['VP8', 96], ['rtx', 97]]);
    assert.deepEqual(camera.rids, ['q', 'h', 'f'].map((id) => ({ id, direction: 'recv' })));
    assert.deepEqual(camera.simulcast, { dir1: 'recv', list1: 'q;h;f' });
  });

  it('is answered with stereo and without pauses where the track asks for it', () => {
    const music: AcceptedSection = { dtx: false, stereo: true };
    const answer = answerTo(offerText('chromium'), new Map([['0', accepted], ['3', music]]));
    assert.deepEqual(answer.media.map(({ fmtp }) => fmtp[0]?.config), ['minptime=10;useinbandfec=1;usedtx=1', 'apt=96', 'apt=96', 'minptime=10;useinbandfec=1;stereo=1']);
    assert.deepEqual(sentParameters(offer.sections[3]?.sends?.rtpParameters ?? assert.fail(), music).codecs[0]?.parameters, { minptime: 10, useinbandfec: 1, 'sprop-stereo': 1 });
  });

  it('shows an unpublished section as one that sends nothing', () => {
    const unpublished = offerText('chromium').replace(/(a=mid:2\r\n(?:.*\r\n)?)a=sendonly/, '$1a=inactive');
    assert.deepEqual(readPublisherOffer(unpublished, capabilities).sections.map(({ sends }) => sends !== undefined), [true, true, false, true]);
    assert.deepEqual(answerTo(unpublished, new Map([['0', accepted]])).media.map(({ direction }) => direction), ['recvonly', 'inactive', 'inactive', 'inactive']);
  });

  it('keeps a section that the client gave up out of the bundle', () => {
    const givenUp = offerText('chromium').replace(/m=audio 9 (.*\r\n(?:(?!m=).*\r\n)*a=mid:3)/, 'm=audio 0 $1').replace('a=group:BUNDLE 0 1 2 3', 'a=group:BUNDLE 0 1 2');
    const answer = answerTo(givenUp, new Map([['0', accepted], ['3', accepted]]));
    assert.deepEqual(answer.media.map(({ port }) => port), [9, 9, 9, 0]);
    assert.equal(answer.groups?.[0]?.mids, '0 1 2');
  });
});

describe('An offer in Firefox\'s shape', () => {
  const offer = readPublisherOffer(offerText('firefox-shaped'), capabilities);

  it('is taken in Firefox\'s own numbers', () => {
    assert.deepEqual(offer.sections.map(({ sends }) => sends?.rtpParameters.codecs.map(({ mimeType, payloadType }) => [mimeType, payloadType])), [[['audio/opus', 109]], [['video/VP8', 120], ['video/rtx', 124]]]);
    const [sound, camera] = offer.sections;
    assert.equal(camera?.sends?.rtpParameters.codecs[0]?.parameters?.['max-fs'], 12_288);
    assert.equal(offer.iceUsernameFragment, '12345678');
    assert.equal(sound?.sends?.clientTrackId, '{7b1f0c2d-3e4a-4b5c-8d6e-9f0a1b2c3d4e}');
  });

  it('has its layers put in order, and answered in the offer\'s order', () => {
    assert.deepEqual(offer.sections[1]?.sends?.rtpParameters.encodings?.map(({ rid }) => rid), ['q', 'h', 'f']);
    assert.equal(answerTo(offerText('firefox-shaped'), new Map([['1', accepted]])).media[1]?.simulcast?.list1, 'f;h;q');
  });
});

describe('An offer with sections made in advance', () => {
  it('is answered inactive for each of them, with the data channels open', () => {
    const answer = answerTo(offerText('native-placeholders'), new Map());
    assert.deepEqual(answer.media.map(({ type, port, direction }) => [type, port, direction]), [
      ['application', 9, undefined],
      ['audio', 9, 'inactive'],
      ['video', 9, 'inactive'],
      ['audio', 9, 'inactive'],
    ]);
    const [channels] = answer.media;
    assert.deepEqual([channels?.sctpPort, channels?.maxMessageSize], [5_000, 262_144]);
  });
});

describe('An offer that cannot be answered', () => {
  it('is refused in words', () => {
    const without = (pattern: RegExp): string => offerText('chromium').replaceAll(pattern, '');
    for (const broken of ['', 'nonsense', 'v=0\r\n', without(/a=fingerprint.*\r\n/g), without(/a=mid:2\r\n/g), offerText('chromium').replace('a=mid:3', 'a=mid:1')]) {
      assert.throws(() => readPublisherOffer(broken, capabilities), SdpError);
    }
    const section = 'm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n';
    assert.throws(() => readPublisherOffer(offerText('chromium') + Array.from({ length: 200 }, (_, i) => `${section}a=mid:x${i}\r\n`).join(''), capabilities), /more than 128 sections/);
  });

  it('has sections refused whose codecs the router does not have', () => {
    const onlyH264 = offerText('chromium').replaceAll(/a=rtpmap:96 VP8\/90000\r\n/g, 'a=rtpmap:96 XVID/90000\r\n');
    assert.deepEqual(readPublisherOffer(onlyH264, capabilities).sections.map(({ sends }) => sends !== undefined), [true, false, false, true]);
    assert.deepEqual(answerTo(onlyH264, new Map([['0', accepted], ['1', accepted]])).media.map(({ port }) => port), [9, 0, 0, 9]);
  });
});
