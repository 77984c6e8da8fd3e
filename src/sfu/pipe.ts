// Owns the media between one call and one neighbour's: what is sent there, and what comes from there.
import { isIP } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Consumer, PipeTransport, Producer, Router, RtpParameters } from 'mediasoup/types';
import type { ServerName, TrackId } from '../call/ids.ts';
import type { MediaPipe, PipeOffer, PipeStats, PipeTraffic } from '../control/ports/media-plane.ts';
import type { PipeEnd } from '../control/ports/peer-links.ts';
import type { Logger } from '../log/logger.ts';
import { asError, background } from '../util/background.ts';
import type { ExpectedTracks } from './expected-tracks.ts';
import type { PublishedTracks } from './published-tracks.ts';
import type { TrafficMeter } from './traffic.ts';

export interface PipeSettings {
  readonly listenIp: string;
  /** What neighbours are told to send to, when it differs from listenIp: an IP address. */
  readonly announcedAddress: string | undefined;
  /** UDP; one port per neighbour and call. */
  readonly firstPort: number;
  readonly lastPort: number;
}

export interface PipeOptions {
  readonly peer: ServerName;
  readonly settings: PipeSettings;
  readonly router: Router;
  readonly tracks: PublishedTracks;
  readonly expected: ExpectedTracks;
  readonly meter: TrafficMeter;
  /** Called once, when it is closed for whatever reason. */
  readonly closed: () => void;
  readonly log: Logger;
}

interface Received {
  readonly producer: Producer;
  readonly rtp: RtpParameters;
}

const suite = 'AEAD_AES_256_GCM';
/** Key and salt of the suite (RFC 7714 §12). */
const keyBytes = 44;
const keyFrameRequestDelayMs = 500;
/** Simulcast has no more layers than that. */
const maxEncodings = 3;

export class Pipe implements MediaPipe {
  readonly local: PipeEnd;
  readonly #options: PipeOptions;
  readonly #transport: PipeTransport;
  readonly #sent = new Map<TrackId, Promise<Consumer>>();
  readonly #received = new Map<TrackId, Received>();
  /** What is received changes one step after the other. */
  #receiving: Promise<void> = Promise.resolve();
  #connected = false;
  #sendsAllLayers = false;

  private constructor(options: PipeOptions, transport: PipeTransport, key: string) {
    this.#options = options;
    this.#transport = transport;
    const { announcedAddress, listenIp } = options.settings;
    this.local = { address: announcedAddress ?? listenIp, port: transport.tuple.localPort, srtp: { suite, key } };
    transport.observer.on('close', () => {
      options.meter.close(transport.id);
      options.closed();
    });
  }

  /** @throws when the settings cannot work or no port is free, in words for the operator */
  static async create(options: PipeOptions): Promise<Pipe> {
    const { router, peer, settings: { listenIp, announcedAddress, firstPort, lastPort } } = options;
    const address = announcedAddress ?? listenIp;
    if (isIP(address) === 0 || address === '0.0.0.0' || address === '::') {
      throw new Error(`neighbours cannot send media to "${address}": set the announced address of the pipes to the IP address that neighbours reach`);
    }
    const listenInfo = { protocol: 'udp', ip: listenIp, ...(announcedAddress !== undefined && { announcedAddress }), portRange: { min: firstPort, max: lastPort } } as const;
    const transport = await router.createPipeTransport({ listenInfo, enableSctp: false, enableRtx: true, enableSrtp: true }).catch((error: unknown) => {
      const ports = firstPort === lastPort ? `UDP port ${firstPort}` : `a UDP port from ${firstPort} to ${lastPort}`;
      throw new Error(`no media pipe to ${peer}: ${ports} cannot be opened on ${listenIp}: ${asError(error).message}. Each call shared with a neighbour takes one port: allow more of them, or choose another address.`, { cause: error });
    });
    const srtp = transport.srtpParameters;
    if (srtp?.cryptoSuite !== suite) {
      transport.close();
      throw new Error(`the media worker encrypts pipes with ${srtp?.cryptoSuite ?? 'nothing'} instead of ${suite}`);
    }
    return new Pipe(options, transport, srtp.keyBase64);
  }

  get closed(): boolean {
    return this.#transport.closed;
  }

  async connect({ address, port, srtp }: PipeEnd): Promise<void> {
    this.#assertOpen();
    if (this.#connected) throw new Error(`the pipe to ${this.#options.peer} is connected already`);
    if (isIP(address) === 0 || isIP(address) !== isIP(this.local.address)) throw new Error(`the pipe cannot send from ${this.local.address} to "${address}": an IP address of the same family is needed`);
    if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`the pipe cannot send to port ${port}`);
    // Both come from another bridge: the types promise more than it may keep.
    const theirs: string = srtp.suite;
    if (theirs !== suite) throw new Error(`the pipe needs ${suite}, the other side has ${theirs}`);
    if (Buffer.from(srtp.key, 'base64').length !== keyBytes || Buffer.from(srtp.key, 'base64').toString('base64') !== srtp.key) throw new Error(`the other side's SRTP key is not ${keyBytes} bytes of base64`);
    this.#connected = true;
    await this.#transport.connect({ ip: address, port, srtpParameters: { cryptoSuite: suite, keyBase64: srtp.key } });
  }

  async send(track: TrackId, layer: number | undefined): Promise<PipeOffer | undefined> {
    this.#assertOpen();
    const source = this.#options.tracks.get(track);
    // What came from one neighbour never goes to another.
    if (source?.owner === undefined) return undefined;
    const { producer } = source;
    try {
      const consumer = await this.#consume(track, producer);
      if (layer !== undefined) await this.#limit(consumer, layer);
      await consumer.resume();
      if (consumer.closed || producer.closed) return undefined;
      this.#options.tracks.markConsumed(track);
      return { kind: consumer.kind, rtp: consumer.rtpParameters, paused: producer.paused };
    } catch (error) {
      if (this.closed || producer.closed) return undefined;
      throw error;
    }
  }

  /** It only rests: were it made anew, viewers over there would lose the picture that they have. */
  stopSending(track: TrackId): void {
    const consuming = this.#sent.get(track);
    if (consuming === undefined) return;
    background(this.#options.log, 'stop sending through a pipe', consuming.then(async (consumer) => {
      await consumer.pause().catch(unless(() => consumer.closed));
    }, () => undefined));
  }

  receive(track: TrackId, offer: PipeOffer): Promise<void> {
    return this.#inOrder(() => this.#receive(track, offer));
  }

  stopReceiving(track: TrackId): void {
    background(this.#options.log, 'stop receiving through a pipe', this.#inOrder(() => {
      if (!this.#options.expected.isAskedFor(track)) this.#drop(track);
      return Promise.resolve();
    }));
  }

  async stats(): Promise<PipeStats> {
    const sent = await Promise.all([...this.#sent.values()].map((consuming) => consuming.then((consumer) => consumer.getStats()).catch(() => [])));
    const received = await Promise.all([...this.#received.values()].map(({ producer }) => producer.getStats().catch(() => [])));
    const transport = await this.traffic();
    const outbound = sent.flat().filter(({ type }) => type === 'outbound-rtp');
    const roundTrips = outbound.flatMap(({ roundTripTime = 0 }) => (roundTripTime > 0 ? [roundTripTime] : []));
    return {
      ...transport,
      packetsSent: sum(outbound.map(({ packetCount }) => packetCount)),
      packetsReceived: sum(received.flat().map(({ packetCount }) => packetCount)),
      packetsLost: sum(received.flat().map(({ packetsLost }) => Math.max(0, packetsLost))),
      packetsRepaired: sum(received.flat().map(({ packetsRepaired }) => packetsRepaired)),
      roundTripMs: roundTrips.length === 0 ? undefined : Math.min(...roundTrips),
    };
  }

  /** Reads the counters into the meter, too. */
  async traffic(): Promise<PipeTraffic> {
    const [stats] = await this.#transport.getStats().catch(() => []);
    if (stats === undefined || this.closed) return { bytesSent: 0, bytesReceived: 0 };
    this.#options.meter.read(this.#transport.id, { received: stats.bytesReceived, sent: stats.bytesSent });
    return { bytesSent: stats.bytesSent, bytesReceived: stats.bytesReceived };
  }

  close(): void {
    this.#transport.close();
  }

  async #consume(track: TrackId, producer: Producer): Promise<Consumer> {
    const known = this.#sent.get(track);
    if (known !== undefined) return await known;
    const forget = (): void => {
      if (this.#sent.get(track) === consuming) this.#sent.delete(track);
    };
    const consuming = this.#transport.consume({ producerId: producer.id });
    this.#sent.set(track, consuming);
    try {
      const consumer = await consuming;
      consumer.observer.on('close', forget);
      if (producer.closed) consumer.close();
      return consumer;
    } catch (error) {
      forget();
      throw error;
    }
  }

  /** Post: layers above this one do not flow. Our worker can do that with pipes (tools/worker/patches), others send all. */
  async #limit(consumer: Consumer, spatialLayer: number): Promise<void> {
    if (consumer.preferredLayers?.spatialLayer === spatialLayer || consumer.rtpParameters.encodings?.length === 1) return;
    await consumer.setPreferredLayers({ spatialLayer });
    if (consumer.preferredLayers !== undefined || this.#sendsAllLayers) return;
    this.#sendsAllLayers = true;
    this.#options.log.warn('this media worker sends all layers to neighbours, also those that nobody there watches', { hint: 'use the worker that ./viaduc builds' });
  }

  async #receive(track: TrackId, { kind, rtp }: PipeOffer): Promise<void> {
    this.#assertOpen();
    const { peer, expected, tracks } = this.#options;
    if (expected.kindOf(track, peer) !== kind) throw new Error(`${peer} offers ${track} as ${kind}, which is not expected of it`);
    if ((rtp.encodings ?? []).length > maxEncodings) throw new Error(`${peer} offers ${track} with ${rtp.encodings?.length} encodings; ${maxEncodings} are the most`);
    if (isDeepStrictEqual(this.#received.get(track)?.rtp, rtp)) return;
    this.#drop(track);
    const producer = await this.#transport.produce({ kind, rtpParameters: rtp, keyFrameRequestDelay: keyFrameRequestDelayMs });
    // mediasoup tells events one turn after answers: consumers of what was before must have heard of its end.
    await nextTurn();
    // Both may have changed while the worker was asked.
    if (this.closed || expected.kindOf(track, peer) !== kind) {
      producer.close();
      return;
    }
    this.#received.set(track, { producer, rtp });
    tracks.add(track, { owner: undefined, producer, consumed: () => undefined });
    producer.observer.on('close', () => {
      if (this.#received.get(track)?.producer !== producer) return;
      this.#received.delete(track);
      tracks.remove(track);
    });
    expected.tellArrived(track);
  }

  #drop(track: TrackId): void {
    this.#received.get(track)?.producer.close();
  }

  #inOrder(step: () => Promise<void>): Promise<void> {
    const done = this.#receiving.then(step);
    this.#receiving = done.catch(() => undefined);
    return done;
  }

  #assertOpen(): void {
    if (this.closed) throw new Error(`the pipe to ${this.#options.peer} is closed`);
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** A refusal by something that has closed meanwhile is no error. */
function unless(excused: () => boolean): (error: unknown) => void {
  return (error) => {
    if (!excused()) throw asError(error);
  };
}
