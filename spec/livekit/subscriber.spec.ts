// What one session receives, with a media endpoint that only remembers what it was asked.
import assert from 'node:assert/strict';
import { SessionDescription, StreamState, SubscriptionError } from '@livekit/protocol';
import type { TrackId } from '../../src/call/ids.ts';
import type { Participant } from '../../src/call/participant.ts';
import type { MediaEndpoint } from '../../src/control/ports/media-plane.ts';
import type { ViewerWish } from '../../src/livekit/layer-choice.ts';
import type { Outgoing } from '../../src/livekit/signal-socket.ts';
import { Subscriber } from '../../src/livekit/subscriber.ts';
import { alice, participant, serverName, track } from '../support/builders.ts';
import { virtualClock } from '../support/clocks.ts';
import { aTransport, simulcastParameters } from '../support/media.ts';
import { offerText } from '../support/offers.ts';

const answerText = offerText('native-placeholders').replaceAll('actpass', 'active');
const wish = (change: Partial<ViewerWish>): ViewerWish => ({ disabled: false, quality: undefined, width: 0, height: 0, fps: 0, priority: 0, ...change });

function given({ maySubscribe = true, autoSubscribe = true, unknown = new Set<TrackId>(), away = new Set<TrackId>() } = {}) {
  const asked: string[] = [];
  const sent: Outgoing[] = [];
  const clock = virtualClock();
  let due = false;
  const never = (): never => assert.fail('not part of receiving');
  const endpoint: MediaEndpoint = {
    publisher: aTransport,
    subscriber: aTransport,
    connect: (side) => Promise.resolve(void asked.push(`connect ${side}`)),
    restartIce: never,
    produce: never,
    setProducerPaused: never,
    closeProducer: never,
    quality: never,
    close: never,
    requestKeyFrame: never,
    consume: (id, mid) => Promise.resolve(unknown.has(id) || away.has(id) ? undefined : { kind: 'video', rtpParameters: { ...simulcastParameters(mid), encodings: [{ ssrc: 1 }] }, spatialLayers: 3 }),
    waitsFor: (id) => away.has(id),
    setConsumerPaused: (id, paused) => Promise.resolve(void asked.push(`${paused ? 'pause' : 'resume'} ${id}`)),
    setPreferredLayers: (id, { spatialLayer }) => Promise.resolve(void asked.push(`layer ${spatialLayer} ${id}`)),
    setPriority: (id, priority) => Promise.resolve(void asked.push(`priority ${priority} ${id}`)),
    closeConsumer: (id) => void asked.push(`close ${id}`),
  };
  const subscriber = new Subscriber({ endpoint, maySubscribe, autoSubscribe, clock, send: (message) => void sent.push(message), changed: () => {
    due = true;
  } });
  const offers = () => sent.flatMap((message) => (message.case === 'offer' ? [message.value] : []));
  return {
    subscriber,
    asked,
    clock,
    offers,
    sent,
    /** What the session's inbox does when something changed. */
    settle: async () => {
      assert.ok(due);
      due = false;
      await subscriber.reconcile();
    },
    answer: async (id = offers().at(-1)?.id ?? 0) => {
      await subscriber.answered(new SessionDescription({ type: 'answer', sdp: answerText, id }));
    },
    states: () => sent.flatMap((message) => (message.case === 'streamStateUpdate' ? message.value.streamStates.map(({ state }) => state) : [])),
    errors: () => sent.flatMap((message) => (message.case === 'subscriptionResponse' ? [message.value.err] : [])),
  };
}

function withTracks(...tracks: readonly Participant['tracks'][]): Participant {
  return participant(alice, { tracks: new Map(tracks.flatMap((map) => [...map])) });
}

const video = track({ published: true, layers: [{ quality: 'low', width: 320, height: 180, bitrateBps: 0 }, { quality: 'medium', width: 640, height: 360, bitrateBps: 0 }, { quality: 'high', width: 1280, height: 720, bitrateBps: 0 }] });
const tracks = new Map([[video.id, video]]);

describe('A subscriber', () => {
  it('connects once, at the first answer, and lets media flow only after the answer to its offer', async () => {
    const { subscriber, asked, settle, answer, offers } = given();
    subscriber.begin();
    await answer();
    subscriber.see(withTracks(tracks));
    await settle();
    assert.deepEqual(offers().map(({ id }) => id), [1, 2]);
    assert.deepEqual(asked, ['connect subscriber']);
    await answer();
    assert.deepEqual(asked, ['connect subscriber', `resume ${video.id}`]);
  });

  it('collects what comes while an offer is out, and ignores answers to other offers', async () => {
    const { subscriber, settle, answer, offers } = given();
    subscriber.begin();
    const others = [track({ published: true }), track({ published: true })];
    for (const other of others) {
      subscriber.see(withTracks(new Map([[other.id, other]])));
      await settle();
    }
    await answer(17);
    assert.equal(offers().length, 1);
    await answer(1);
    assert.deepEqual(offers().map(({ midToTrackId }) => Object.keys(midToTrackId).length), [0, 2]);
  });

  it('keeps settings that come before their track, or before the answer', async () => {
    const { subscriber, asked, settle, answer } = given();
    subscriber.begin();
    await subscriber.wish([video.id], wish({ width: 320, height: 180, priority: 3 }));
    subscriber.see(withTracks(tracks));
    await settle();
    await answer();
    await subscriber.wish([video.id], wish({ width: 320, height: 180, priority: 3 }));
    assert.deepEqual(asked, ['connect subscriber']);
    await answer();
    assert.deepEqual(asked, ['connect subscriber', `layer 0 ${video.id}`, `priority 3 ${video.id}`, `resume ${video.id}`]);
    await subscriber.wish([video.id], wish({ disabled: true }));
    await subscriber.wish([video.id], wish({ quality: 'medium' }));
    assert.deepEqual(asked.slice(4), [`pause ${video.id}`, `layer 1 ${video.id}`, `resume ${video.id}`]);
  });

  it('never starts a track that the viewer switched off before', async () => {
    const { subscriber, asked, settle, answer } = given();
    subscriber.begin();
    await subscriber.wish([video.id], wish({ disabled: true }));
    subscriber.see(withTracks(tracks));
    await settle();
    await answer();
    await answer();
    assert.deepEqual(asked, ['connect subscriber', `pause ${video.id}`]);
  });

  it('closes what its publisher took back or took along', async () => {
    const { subscriber, asked, settle, answer, offers } = given();
    subscriber.begin();
    const person = withTracks(tracks);
    subscriber.see(person);
    await settle();
    await answer();
    await answer();
    subscriber.see({ ...person, tracks: new Map() });
    await settle();
    assert.equal(asked.at(-1), `close ${video.id}`);
    assert.deepEqual({ ...offers().at(-1)?.midToTrackId }, {});
    await answer();
    subscriber.lose(person.id);
    await settle();
    assert.equal(offers().length, 3);
  });

  it('does not ask again for a track whose media has gone', async () => {
    const { subscriber, settle, answer, offers, errors } = given();
    subscriber.begin();
    subscriber.see(withTracks(tracks));
    await settle();
    await answer();
    await answer();
    subscriber.consumerClosed(video.id);
    await settle();
    assert.deepEqual({ ...offers().at(-1)?.midToTrackId }, {});
    assert.deepEqual(errors(), []);
  });

  it('says which track cannot be received', async () => {
    const { subscriber, settle, errors } = given({ unknown: new Set([video.id]) });
    subscriber.begin();
    subscriber.see(withTracks(tracks));
    await settle();
    assert.deepEqual(errors(), [SubscriptionError.SE_TRACK_NOTFOUND]);
  });

  const far = (): Participant => participant(alice, { via: serverName('finances.example.org'), tracks });

  it('waits for what another bridge has, says meanwhile what of it is wanted, and offers it when it has come', async () => {
    const away = new Set([video.id]);
    const { subscriber, asked, settle, answer, offers, errors } = given({ away });
    subscriber.begin();
    subscriber.see(far());
    await settle();
    await answer();
    assert.deepEqual(asked.splice(0), [`resume ${video.id}`, 'connect subscriber']);
    await subscriber.wish([video.id], wish({ width: 320, height: 180 }));
    await subscriber.wish([video.id], wish({ disabled: true }));
    assert.deepEqual(asked.splice(0), [`layer 0 ${video.id}`, `resume ${video.id}`, `pause ${video.id}`]);
    assert.equal(offers().length, 1);
    assert.deepEqual(errors(), []);
    away.clear();
    subscriber.trackAvailable(video.id);
    await settle();
    assert.deepEqual(Object.values(offers().at(-1)?.midToTrackId ?? {}), [video.id]);
    await answer();
    assert.deepEqual(asked, [`pause ${video.id}`]);
  });

  it('waits no longer for what it does not want any more, or whose publisher has gone', async () => {
    const { subscriber, asked, settle } = given({ away: new Set([video.id]) });
    const person = far();
    subscriber.see(person);
    await settle();
    await subscriber.subscribe([video.id], false);
    assert.deepEqual(asked.splice(0), [`resume ${video.id}`, `close ${video.id}`]);
    await subscriber.subscribe([video.id], true);
    subscriber.lose(person.id);
    await settle();
    assert.deepEqual(asked, [`resume ${video.id}`, `close ${video.id}`]);
  });

  it('does not miss what comes while the endpoint still answers that it is away', async () => {
    const away = new Set([video.id]);
    const { subscriber, settle, answer, offers } = given({ away });
    subscriber.begin();
    await answer();
    subscriber.see(far());
    const reconciling = settle();
    away.clear();
    subscriber.trackAvailable(video.id);
    await reconciling;
    await settle();
    assert.deepEqual(Object.values(offers().at(-1)?.midToTrackId ?? {}), [video.id]);
  });

  it('asks again, with what the viewer said, for what comes back', async () => {
    const away = new Set<TrackId>();
    const { subscriber, asked, settle, answer, offers } = given({ away });
    subscriber.begin();
    subscriber.see(far());
    await subscriber.wish([video.id], wish({ width: 320, height: 180 }));
    await settle();
    await answer();
    await answer();
    asked.splice(0);
    away.add(video.id);
    subscriber.consumerClosed(video.id);
    await settle();
    assert.deepEqual({ ...offers().at(-1)?.midToTrackId }, {});
    assert.deepEqual(asked.splice(0), [`layer 0 ${video.id}`, `resume ${video.id}`]);
    await answer();
    away.clear();
    subscriber.trackAvailable(video.id);
    await settle();
    await answer();
    assert.deepEqual(Object.values(offers().at(-1)?.midToTrackId ?? {}), [video.id]);
    assert.deepEqual(asked, [`layer 0 ${video.id}`, `resume ${video.id}`]);
  });

  it('tries again what it could not have when it was first shown, without a complaint to the client', async () => {
    const unknown = new Set([video.id]);
    const { subscriber, settle, answer, offers, errors } = given({ unknown });
    subscriber.begin();
    await answer();
    subscriber.see(far());
    await settle();
    assert.deepEqual([offers().length, errors()], [1, []]);
    unknown.clear();
    subscriber.trackAvailable(video.id);
    await settle();
    assert.deepEqual(Object.values(offers().at(-1)?.midToTrackId ?? {}), [video.id]);
  });

  it('asks again for a track that its publisher took back and shows once more', async () => {
    const { subscriber, settle, answer, offers } = given();
    subscriber.begin();
    await answer();
    const person = far();
    subscriber.see(person);
    await settle();
    await answer();
    subscriber.consumerClosed(video.id);
    await settle();
    await answer();
    subscriber.lose(person.id);
    subscriber.see(person);
    await settle();
    assert.deepEqual(Object.values(offers().at(-1)?.midToTrackId ?? {}), [video.id]);
  });

  it('receives nothing that it may not or does not want, and what it chose by name', async () => {
    const forbidden = given({ maySubscribe: false });
    forbidden.subscriber.see(withTracks(tracks));
    await forbidden.settle();
    await forbidden.subscriber.subscribe([video.id], true);
    assert.equal(forbidden.offers().length, 0);
    const { subscriber, settle, answer, offers } = given({ autoSubscribe: false });
    subscriber.begin();
    subscriber.see(withTracks(tracks));
    await settle();
    await answer();
    assert.equal(offers().length, 1);
    await subscriber.subscribe([video.id], true);
    assert.deepEqual(Object.values(offers().at(-1)?.midToTrackId ?? {}), [video.id]);
  });

  it('tells a picture that stands still for lack of bandwidth, and its return, but not a hiccup', async () => {
    const { subscriber, clock, settle, answer, states } = given();
    subscriber.begin();
    subscriber.see(withTracks(tracks));
    await settle();
    await answer();
    await answer();
    subscriber.layerChanged(video.id, undefined);
    clock.advance(1_000);
    subscriber.layerChanged(video.id, 0);
    clock.advance(5_000);
    assert.deepEqual(states(), []);
    subscriber.layerChanged(video.id, undefined);
    clock.advance(2_000);
    assert.deepEqual(states(), [StreamState.PAUSED]);
    subscriber.layerChanged(video.id, 1);
    assert.deepEqual(states(), [StreamState.PAUSED, StreamState.ACTIVE]);
    subscriber.layerChanged(video.id, undefined);
    subscriber.close();
    clock.advance(5_000);
    assert.equal(states().length, 2);
  });
});
