// The offers that carry others' tracks.
import assert from 'node:assert/strict';
import type { MediaKind } from 'mediasoup/types';
import { parse } from 'sdp-transform';
import { readSubscriberAnswer, SubscriberSections } from '../../src/livekit/subscriber-sdp.ts';
import { SdpError } from '../../src/livekit/sdp-text.ts';
import { participantId, trackId } from '../support/builders.ts';
import { aTransport, opusParameters, simulcastParameters } from '../support/media.ts';
import { offerText } from '../support/offers.ts';

const alice = participantId('PA_alice');

function add(sections: SubscriberSections, name: string, kind: MediaKind = 'audio'): string {
  const mid = sections.claimMid();
  const rtpParameters = kind === 'audio' ? opusParameters(7, mid) : { ...simulcastParameters(mid), encodings: [{ ssrc: 8, rtx: { ssrc: 9 } }] };
  sections.add({ mid, kind, participant: alice, track: trackId(`TR_${name}`), rtpParameters });
  return mid;
}

const shape = (sections: SubscriberSections) => parse(sections.write(aTransport)).media.map(({ type, port, mid, direction }) => [type, port, String(mid), direction]);

describe('The subscriber\'s offer', () => {
  it('begins with the data channels alone', () => {
    const offer = parse(new SubscriberSections().write(aTransport));
    assert.deepEqual(offer.media.map(({ type, setup }) => [type, setup]), [['application', 'actpass']]);
    assert.equal(offer.groups?.[0]?.mids, 0);
  });

  it('names participant and track where clients look for them', () => {
    const sections = new SubscriberSections();
    add(sections, 'sound');
    add(sections, 'picture', 'video');
    const text = sections.write(aTransport);
    const [, , picture] = parse(text).media;
    assert.deepEqual(text.match(/^a=msid:.*/gm), ['a=msid:PA_alice|TR_sound TR_sound', 'a=msid:PA_alice|TR_picture TR_picture']);
    assert.deepEqual(picture?.ssrcGroups, [{ semantics: 'FID', ssrcs: '8 9' }]);
    assert.deepEqual(picture.ssrcs?.map(({ id, value }) => [id, value]), [[8, 'spec'], [9, 'spec']]);
    assert.deepEqual(picture.rtp.map(({ codec }) => codec), ['VP8', 'rtx']);
    assert.deepEqual(sections.midToTrack(), { 1: 'TR_sound', 2: 'TR_picture' });
  });

  it('keeps the order of its sections for ever and takes closed ones of the same kind again, under a new mid', () => {
    const sections = new SubscriberSections();
    add(sections, 'sound1');
    add(sections, 'picture', 'video');
    sections.close(trackId('TR_sound1'));
    assert.deepEqual(shape(sections), [['application', 9, '0', undefined], ['audio', 0, '1', 'inactive'], ['video', 9, '2', 'sendonly']]);
    add(sections, 'picture2', 'video');
    add(sections, 'sound2');
    assert.deepEqual(shape(sections), [['application', 9, '0', undefined], ['audio', 9, '4', 'sendonly'], ['video', 9, '2', 'sendonly'], ['video', 9, '3', 'sendonly']]);
    assert.deepEqual(sections.midToTrack(), { 2: 'TR_picture', 3: 'TR_picture2', 4: 'TR_sound2' });
  });

  it('leaves a section alone until it was offered closed: a client takes no other track in its place before', () => {
    const sections = new SubscriberSections();
    add(sections, 'sound1');
    sections.write(aTransport);
    sections.close(trackId('TR_sound1'));
    add(sections, 'sound2');
    assert.deepEqual(shape(sections), [['application', 9, '0', undefined], ['audio', 0, '1', 'inactive'], ['audio', 9, '2', 'sendonly']]);
    add(sections, 'sound3');
    assert.deepEqual(shape(sections), [['application', 9, '0', undefined], ['audio', 9, '3', 'sendonly'], ['audio', 9, '2', 'sendonly']]);
  });

  it('counts its versions and bundles only what is open', () => {
    const sections = new SubscriberSections();
    add(sections, 'sound');
    sections.write(aTransport);
    sections.close(trackId('TR_sound'));
    const offer = parse(sections.write(aTransport));
    assert.equal(offer.origin.sessionVersion, 2);
    assert.equal(offer.groups?.[0]?.mids, 0);
  });
});

describe('The subscriber\'s answer', () => {
  it('tells the client\'s fingerprint, and the role that it takes', () => {
    const answer = offerText('native-placeholders').replaceAll('actpass', 'active');
    assert.equal(readSubscriberAnswer(answer).role, 'client');
    assert.equal(readSubscriberAnswer(answer.replaceAll('active', 'passive')).role, 'server');
    assert.throws(() => readSubscriberAnswer(answer.replaceAll(/a=fingerprint.*\r\n/g, '')), SdpError);
    assert.throws(() => readSubscriberAnswer(answer.replaceAll('sha-256', 'md5')), SdpError);
  });
});
