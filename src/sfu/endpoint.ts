// Owns one session's media: its two transports, what it sends and what it receives.
import type { AudioLevelObserver, Consumer, DtlsParameters, IceParameters, Producer, Router, RtpCapabilities } from 'mediasoup/types';
import type { ParticipantId, TrackId } from '../call/ids.ts';
import type {
  ConsumerDescription, EndpointListener, EndpointQuality, MediaEndpoint, ProduceOptions, TransportDescription, TransportSide,
} from '../control/ports/media-plane.ts';
import type { Logger } from '../log/logger.ts';
import { asError, background } from '../util/background.ts';
import type { Asker, ExpectedTracks } from './expected-tracks.ts';
import type { PublishedTracks } from './published-tracks.ts';
import { directionScore } from './quality.ts';
import type { TrafficMeter } from './traffic.ts';
import { describeTransport, watchTransport, type TransportPair } from './transports.ts';

export interface EndpointOptions {
  readonly id: ParticipantId;
  readonly transports: TransportPair;
  readonly call: CallParts;
  readonly listener: EndpointListener;
  readonly closed: () => void;
  readonly log: Logger;
}

/** What an endpoint shares with the others of its call. */
export interface CallParts {
  readonly router: Router;
  readonly capabilities: RtpCapabilities;
  readonly tracks: PublishedTracks;
  readonly expected: ExpectedTracks;
  readonly observer: AudioLevelObserver;
  readonly meter: TrafficMeter;
}

// A new viewer's request for a key frame waits this long for others to join it.
const keyFrameRequestDelayMs = 500;
/** A stream that is not sent for lack of bandwidth is worth less than any that arrives. */
const starvedScore = 2;

export class Endpoint implements MediaEndpoint, Asker {
  readonly publisher: TransportDescription;
  readonly subscriber: TransportDescription;
  readonly #options: EndpointOptions;
  readonly #producers = new Map<TrackId, Producer>();
  readonly #consumers = new Map<TrackId, Consumer>();
  readonly #consuming = new Set<TrackId>();
  #closed = false;

  constructor(options: EndpointOptions) {
    this.#options = options;
    const { transports, listener } = options;
    this.publisher = describeTransport(transports.publisher);
    this.subscriber = describeTransport(transports.subscriber);
    for (const side of ['publisher', 'subscriber'] as const) {
      watchTransport(transports[side], (state) => {
        if (!this.#closed) listener.transportStateChanged(side, state);
      });
    }
  }

  async connect(side: TransportSide, dtlsParameters: DtlsParameters): Promise<void> {
    this.#assertOpen();
    await this.#options.transports[side].connect({ dtlsParameters });
  }

  async restartIce(side: TransportSide): Promise<IceParameters> {
    this.#assertOpen();
    return await this.#options.transports[side].restartIce();
  }

  async produce(track: TrackId, { kind, rtpParameters, paused, speech }: ProduceOptions): Promise<void> {
    this.#assertOpen();
    const { transports, call, id, listener, log } = this.#options;
    if (this.#producers.has(track)) throw new Error(`track ${track} is produced already`);
    const producer = await transports.publisher.produce({ kind, rtpParameters, paused, keyFrameRequestDelay: keyFrameRequestDelayMs });
    if (this.#closed) {
      producer.close();
      throw new Error(`the endpoint of ${id} closed while track ${track} began`);
    }
    this.#producers.set(track, producer);
    call.tracks.add(track, { from: 'people', owner: id, producer, consumed: () => listener.producerConsumed(track) });
    if (speech) background(log, 'listen for speech', addToObserver(call.observer, producer));
  }

  async setProducerPaused(track: TrackId, paused: boolean): Promise<void> {
    const producer = this.#producers.get(track);
    if (producer === undefined || producer.paused === paused) return;
    await (paused ? producer.pause() : producer.resume()).catch(rethrowUnless(() => producer.closed));
  }

  closeProducer(track: TrackId): void {
    this.#producers.get(track)?.close();
    this.#producers.delete(track);
    this.#options.call.tracks.remove(track);
  }

  async consume(track: TrackId, mid: string): Promise<ConsumerDescription | undefined> {
    const { transports, call } = this.#options;
    if (this.#closed || this.#consumers.has(track) || this.#consuming.has(track)) return undefined;
    call.expected.ask(track, this);
    const source = call.tracks.get(track);
    if (source === undefined) return undefined;
    if (!call.router.canConsume({ producerId: source.producer.id, rtpCapabilities: call.capabilities })) {
      call.expected.withdraw(track, this);
      return undefined;
    }
    this.#consuming.add(track);
    try {
      const consumer = await transports.subscriber.consume({ producerId: source.producer.id, rtpCapabilities: call.capabilities, paused: true, mid });
      return this.#keep(track, consumer, source.producer);
    } catch (error) {
      // The producer or the endpoint may have gone while the worker was asked.
      if (this.#isClosed() || source.producer.closed) return undefined;
      throw error;
    } finally {
      this.#consuming.delete(track);
    }
  }

  #keep(track: TrackId, consumer: Consumer, producer: Producer): ConsumerDescription | undefined {
    if (this.#closed || consumer.closed || producer.closed) {
      consumer.close();
      return undefined;
    }
    this.#consumers.set(track, consumer);
    consumer.on('producerclose', () => {
      this.#consumers.delete(track);
      this.#options.listener.consumerClosed(track);
    });
    consumer.on('layerschange', (layers) => {
      if (consumer.paused || consumer.producerPaused) return;
      const publisherSends = producer.score.some(({ score }) => score > 0);
      if (layers === undefined && !publisherSends) return;
      this.#options.listener.consumerLayerChanged(track, layers?.spatialLayer);
    });
    return { kind: consumer.kind, rtpParameters: consumer.rtpParameters, spatialLayers: consumer.type === 'simulcast' ? producer.rtpParameters.encodings?.length ?? 1 : 1 };
  }

  waitsFor(track: TrackId): boolean {
    return this.#options.call.expected.isAskedFor(track, this) && !this.#consumers.has(track);
  }

  trackAvailable(track: TrackId): void {
    if (!this.#closed) this.#options.listener.trackAvailable(track);
  }

  async setConsumerPaused(track: TrackId, paused: boolean): Promise<void> {
    this.#options.call.expected.adjust(track, this, { paused });
    await this.#withConsumer(track, async (consumer) => {
      if (consumer.paused === paused) return;
      await (paused ? consumer.pause() : consumer.resume());
      if (!paused) this.#options.call.tracks.markConsumed(track);
    });
  }

  async setPreferredLayers(track: TrackId, { spatialLayer, temporalLayer }: { readonly spatialLayer: number; readonly temporalLayer?: number }): Promise<void> {
    this.#options.call.expected.adjust(track, this, { layer: spatialLayer });
    await this.#withConsumer(track, async (consumer) => {
      if (consumer.type === 'simulcast') await consumer.setPreferredLayers({ spatialLayer, ...(temporalLayer !== undefined && { temporalLayer }) });
    });
  }

  async setPriority(track: TrackId, priority: number): Promise<void> {
    await this.#withConsumer(track, async (consumer) => {
      await consumer.setPriority(Math.min(255, Math.max(1, Math.round(priority))));
    });
  }

  async requestKeyFrame(track: TrackId): Promise<void> {
    await this.#withConsumer(track, async (consumer) => {
      if (consumer.kind === 'video') await consumer.requestKeyFrame();
    });
  }

  closeConsumer(track: TrackId): void {
    this.#options.call.expected.withdraw(track, this);
    this.#consumers.get(track)?.close();
    this.#consumers.delete(track);
  }

  async quality(): Promise<EndpointQuality> {
    if (this.#closed) return { uplinkScore: undefined, downlinkScore: undefined };
    const [publisher, subscriber, roundTripMs] = await Promise.all([this.readStats('publisher'), this.readStats('subscriber'), this.#roundTripMs()]);
    const sending = [...this.#producers.values()].filter((producer) => !producer.paused && producer.score.length > 0);
    // A publisher switches layers off by itself: its best layer tells about the network.
    const uplink = sending.map((producer) => Math.max(...producer.score.map(({ score }) => score)));
    const receiving = [...this.#consumers.values()].filter((consumer) => !consumer.paused && !consumer.producerPaused && consumer.score.producerScore > 0);
    const downlink = receiving.map((consumer) => (consumer.type === 'simulcast' && consumer.currentLayers === undefined ? starvedScore : consumer.score.score));
    return {
      uplinkScore: directionScore({ scores: uplink, lossRatio: publisher.lossRatio, roundTripMs }),
      downlinkScore: directionScore({ scores: downlink, lossRatio: subscriber.lossRatio, roundTripMs }),
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { transports, call } = this.#options;
    call.expected.withdrawAll(this);
    for (const track of [...this.#producers.keys()]) call.tracks.remove(track);
    for (const side of ['publisher', 'subscriber'] as const) {
      call.meter.close(transports[side].id);
      transports[side].close();
    }
    this.#producers.clear();
    this.#consumers.clear();
    this.#options.closed();
  }

  /** Reads the counters of one transport into the call's meter. */
  async readStats(side: TransportSide): Promise<{ readonly lossRatio: number }> {
    const transport = this.#options.transports[side];
    const [stats] = await transport.getStats().catch(() => []);
    if (stats === undefined || this.#closed) return { lossRatio: 0 };
    this.#options.call.meter.read(transport.id, { received: stats.bytesReceived, sent: stats.bytesSent });
    return { lossRatio: (side === 'publisher' ? stats.rtpPacketLossReceived : stats.rtpPacketLossSent) ?? 0 };
  }

  async #roundTripMs(): Promise<number | undefined> {
    const consumer = [...this.#consumers.values()].find(({ paused }) => !paused);
    const stats = await consumer?.getStats().catch(() => []);
    return stats?.find(({ type }) => type === 'outbound-rtp')?.roundTripTime;
  }

  async #withConsumer(track: TrackId, act: (consumer: Consumer) => Promise<void>): Promise<void> {
    const consumer = this.#consumers.get(track);
    if (consumer === undefined || consumer.closed) return;
    await act(consumer).catch(rethrowUnless(() => consumer.closed));
  }

  #assertOpen(): void {
    if (this.#closed) throw new Error(`the endpoint of ${this.#options.id} is closed`);
  }

  // Read through a method: the compiler would remember what it saw before the wait.
  #isClosed(): boolean {
    return this.#closed;
  }
}

async function addToObserver(observer: AudioLevelObserver, producer: Producer): Promise<void> {
  await observer.addProducer({ producerId: producer.id }).catch(rethrowUnless(() => producer.closed || observer.closed));
}

/** A refusal by something that has closed meanwhile is no error. */
function rethrowUnless(excused: () => boolean): (error: unknown) => void {
  return (error) => {
    if (!excused()) throw asError(error);
  };
}
