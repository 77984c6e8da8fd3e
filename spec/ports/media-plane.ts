// Owns the conformance suite of the port MediaPlane: what every implementation promises, tried without a single packet.
import assert from 'node:assert/strict';
import type { TrackId } from '../../src/call/ids.ts';
import type { CallMedia, CallMediaListener, ConsumerDescription, EndpointListener, MediaEndpoint, MediaPlane } from '../../src/control/ports/media-plane.ts';
import { callId, participantId, trackId } from '../support/builders.ts';
import { eventually } from '../support/eventually.ts';
import { opusParameters, silentListener, simulcastParameters } from '../support/media.ts';

export interface MediaPlaneUnderTest {
  readonly plane: MediaPlane;
  /** Sessions of one call are not on the same worker: what they receive comes a moment after they ask for it. */
  readonly spread?: boolean;
  /** Ends the process or machine that carries the calls, as a crash does. */
  crash(): Promise<void>;
}

const theCall = callId('C_conformance');
const alice = participantId('PA_alice');
const bob = participantId('PA_bobby');
const sound = trackId('TR_sound');
const picture = trackId('TR_picture');
const quiet: CallMediaListener = { speakersChanged: () => undefined, mediaLost: () => undefined, demandChanged: () => undefined };

export function mediaPlaneConformance(name: string, use: () => MediaPlaneUnderTest): void {
  describe(`MediaPlane: ${name}`, () => {
    let call: CallMedia;
    const open = async (listener: CallMediaListener = quiet): Promise<CallMedia> => {
      call = await use().plane.open(theCall, listener);
      return call;
    };
    const endpoint = (id: typeof alice, listener: Partial<EndpointListener> = {}): Promise<MediaEndpoint> => call.endpoint(id, { ...silentListener, ...listener });

    const consumed = async (viewer: MediaEndpoint, track: TrackId, mid: string): Promise<ConsumerDescription> => {
      let description = await viewer.consume(track, mid);
      if (use().spread === true) {
        await eventually(async () => {
          description ??= await viewer.consume(track, mid);
          return description === undefined ? `${track} has not arrived` : undefined;
        });
      }
      return description ?? assert.fail(`${track} cannot be consumed`);
    };

    afterEach(() => {
      call.close();
    });

    it('gives the same media for the same call until it is closed', async () => {
      const [first, second] = await Promise.all([use().plane.open(theCall, quiet), open()]);
      assert.equal(first, second);
      first.close();
      assert.notEqual(await open(), first);
    });

    it('receives opus and VP8', async () => {
      await open();
      assert.deepEqual([...new Set((call.rtpCapabilities.codecs ?? []).map(({ mimeType }) => mimeType.toLowerCase()))], ['audio/opus', 'video/vp8', 'video/rtx']);
    });

    it('describes both transports, with data channels and at least one UDP candidate', async () => {
      await open();
      const { publisher, subscriber } = await endpoint(alice);
      assert.notEqual(publisher.iceParameters.usernameFragment, subscriber.iceParameters.usernameFragment);
      for (const side of [publisher, subscriber]) {
        assert.ok(side.iceCandidates.some(({ protocol }) => protocol === 'udp'));
        assert.ok(side.dtlsParameters.fingerprints.some(({ algorithm }) => algorithm === 'sha-256'));
        assert.ok(side.sctp !== undefined && side.sctp.maxMessageSizeBytes >= 65_536);
      }
    });

    it('gives new ICE credentials on a restart', async () => {
      await open();
      const one = await endpoint(alice);
      const restarted = await one.restartIce('subscriber');
      assert.notEqual(restarted.usernameFragment, one.subscriber.iceParameters.usernameFragment);
    });

    it('hands a published track to another session, paused, and tells its publisher once that somebody receives it', async () => {
      await open();
      const received: string[] = [];
      const publisher = await endpoint(alice, { producerConsumed: (track) => received.push(track) });
      const viewers = [await endpoint(bob), await endpoint(participantId('PA_carol'))];
      await publisher.produce(sound, { kind: 'audio', rtpParameters: opusParameters(1_001), paused: false, speech: true });
      for (const viewer of viewers) {
        const description = await consumed(viewer, sound, '7');
        assert.equal(description.kind, 'audio');
        assert.equal(description.rtpParameters.mid, '7');
        assert.equal(description.spatialLayers, 1);
      }
      if (use().spread !== true) assert.deepEqual(received, []);
      for (const viewer of viewers) await viewer.setConsumerPaused(sound, false);
      assert.deepEqual(received, [sound]);
    });

    it('knows how many layers a simulcast track has', async () => {
      await open();
      const publisher = await endpoint(alice);
      await publisher.produce(picture, { kind: 'video', rtpParameters: simulcastParameters(), paused: false, speech: false });
      const viewer = await endpoint(bob);
      assert.equal((await consumed(viewer, picture, '1')).spatialLayers, 3);
      await viewer.setPreferredLayers(picture, { spatialLayer: 0, temporalLayer: 1 });
      await viewer.setPriority(picture, 1_000);
      await viewer.requestKeyFrame(picture);
    });

    it('cannot consume what is not there, nor the same track twice', async () => {
      await open();
      const publisher = await endpoint(alice);
      const viewer = await endpoint(bob);
      assert.equal(await viewer.consume(sound, '1'), undefined);
      await publisher.produce(sound, { kind: 'audio', rtpParameters: opusParameters(1_001), paused: false, speech: false });
      if (use().spread === true) {
        await consumed(viewer, sound, '1');
        viewer.closeConsumer(sound);
      }
      const both = await Promise.all([viewer.consume(sound, '1'), viewer.consume(sound, '2')]);
      assert.equal(both.filter((description) => description !== undefined).length, 1);
    });

    it('leaves nothing behind when it refuses RTP parameters', async () => {
      await open();
      const publisher = await endpoint(alice);
      const wrong = { ...opusParameters(1_001), codecs: [{ mimeType: 'audio/none', payloadType: 100, clockRate: 8_000 }] };
      await assert.rejects(publisher.produce(sound, { kind: 'audio', rtpParameters: wrong, paused: false, speech: true }));
      await publisher.produce(sound, { kind: 'audio', rtpParameters: opusParameters(1_001), paused: false, speech: true });
      await assert.rejects(publisher.produce(sound, { kind: 'audio', rtpParameters: opusParameters(1_002, '9'), paused: false, speech: true }));
    });

    it('closes every consumer of a track that ends, and tells it', async () => {
      await open();
      const closed: string[] = [];
      const publisher = await endpoint(alice);
      const viewer = await endpoint(bob, { consumerClosed: (track) => closed.push(track) });
      await publisher.produce(sound, { kind: 'audio', rtpParameters: opusParameters(1_001), paused: false, speech: true });
      await consumed(viewer, sound, '1');
      publisher.closeProducer(sound);
      await eventually(() => (closed.includes(sound) ? undefined : 'the consumer is not closed'));
      assert.equal(await viewer.consume(sound, '2'), undefined);
      // The same mid and stream may be used again.
      await publisher.produce(picture, { kind: 'audio', rtpParameters: opusParameters(1_001), paused: true, speech: true });
    });

    it('ends what a session sends when the session closes', async () => {
      await open();
      const closed: string[] = [];
      const publisher = await endpoint(alice);
      const viewer = await endpoint(bob, { consumerClosed: (track) => closed.push(track) });
      await publisher.produce(sound, { kind: 'audio', rtpParameters: opusParameters(1_001), paused: false, speech: true });
      await consumed(viewer, sound, '1');
      publisher.close();
      publisher.close();
      await eventually(() => (closed.includes(sound) ? undefined : 'the consumer is not closed'));
    });

    it('does nothing, or refuses, after its close', async () => {
      await open();
      const one = await endpoint(alice);
      one.close();
      assert.equal(await one.consume(sound, '1'), undefined);
      await one.setConsumerPaused(sound, true);
      await one.setProducerPaused(sound, true);
      one.closeConsumer(sound);
      one.closeProducer(sound);
      assert.deepEqual(await one.quality(), { uplinkScore: undefined, downlinkScore: undefined });
      await assert.rejects(one.produce(sound, { kind: 'audio', rtpParameters: opusParameters(1_001), paused: false, speech: true }));
      await assert.rejects(one.connect('publisher', { fingerprints: [] }));
    });

    it('refuses a session that comes while the call closes', async () => {
      await open();
      const coming = endpoint(alice);
      call.close();
      await assert.rejects(coming);
    });

    it('tells that the media is lost, once, and can open the call again', async () => {
      let lost = 0;
      await open({ ...quiet, mediaLost: () => {
        lost += 1;
      } });
      await endpoint(alice);
      await use().crash();
      await eventually(() => (lost === 1 ? undefined : `lost was told ${lost} times`));
      await eventually(async () => {
        await open();
        return undefined;
      });
      await endpoint(alice);
      assert.equal(lost, 1);
    });

    it('counts its workers and calls', async () => {
      await open();
      const { workers, bytesReceived, bytesSent } = await use().plane.snapshot();
      assert.equal(workers.reduce((sum, { routers }) => sum + routers, 0), 1);
      assert.ok(workers.every(({ alive, pid, cpuRatio }) => alive && pid > 0 && cpuRatio >= 0));
      assert.ok(bytesReceived >= 0 && bytesSent >= 0);
    });
  });
}
