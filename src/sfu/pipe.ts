// Owns the media between one worker of a call and what lies beyond a pipe: what is sent there, and what comes from there.
import { isIP } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Consumer, PipeTransport, Producer, Router, RtpParameters } from 'mediasoup/types';
import type { TrackId } from '../call/ids.ts';
import type { MediaPipe, PipeOffer, PipeStats, PipeTraffic } from '../control/ports/media-plane.ts';
import type { PipeEnd } from '../control/ports/peer-links.ts';
import type { Logger } from '../log/logger.ts';
import { asError, background } from '../util/background.ts';
import { topLayer, type Asker, type ExpectedTracks } from './expected-tracks.ts';
import type { Far, PublishedTrack, PublishedTracks } from './published-tracks.ts';
import type { TrafficMeter } from './traffic.ts';

export interface PipeSettings {
  readonly listenIp: string;
  /** What the other side is told to send to, when it differs from listenIp: an IP address. */
  readonly announcedAddress: string | undefined;
  /** UDP; each pipe takes one. Absent: any that is free. */
  readonly firstPort?: number;
  readonly lastPort?: number;
}

export interface PipeOptions {
  readonly far: Far;
  readonly settings: PipeSettings;
  readonly router: Router;
  readonly tracks: PublishedTracks;
  readonly expected: ExpectedTracks;
  /** Counts what crosses to and from other machines. */
  readonly meter: TrafficMeter | undefined;
  /** A track that is to be sent has come, or come anew: it must be sent again. */
  readonly arrived: (track: TrackId) => void;
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

/** A track that comes from another worker of ours is here at once, or its sender has gone. */
const arrivalMs = 5000;

export class Pipe implements MediaPipe, Asker {
  readonly local: PipeEnd;
  readonly #options: PipeOptions;
  readonly #transport: PipeTransport;
  readonly #sent = new Map<TrackId, Promise<Consumer>>();
  readonly #received = new Map<TrackId, Received>();
  readonly #arrivals = new Map<TrackId, Set<() => void>>();
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
      options.meter?.close(transport.id);
      options.expected.withdrawAll(this);
      options.closed();
    });
  }

  /** @throws when the settings cannot work or no port is free, in words for the operator */
  static async create(options: PipeOptions): Promise<Pipe> {
    const { router, far: { name: peer }, settings: { listenIp, announcedAddress, firstPort, lastPort } } = options;
    const address = announcedAddress ?? listenIp;
    if (isIP(address) === 0 || address === '0.0.0.0' || address === '::') {
      throw new Error(`neighbours cannot send media to "${address}": set the announced address of the pipes to the IP address that neighbours reach`);
    }
    const listenInfo = { protocol: 'udp', ip: listenIp, ...(announcedAddress !== undefined && { announcedAddress }), ...(firstPort !== undefined && lastPort !== undefined && { portRange: { min: firstPort, max: lastPort } }) } as const;
    const transport = await router.createPipeTransport({ listenInfo, enableSctp: false, enableRtx: true, enableSrtp: true }).catch((error: unknown) => {
      throw new Error(`no media pipe to ${peer}: ${inWords(options.settings)} cannot be opened on ${listenIp}: ${asError(error).message}. Each call shared with a neighbour takes one port: allow more of them, or choose another address.`, { cause: error });
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
    if (this.#connected) throw new Error(`the pipe to ${this.#options.far.name} is connected already`);
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
    const source = await this.#source(track, layer);
    if (source === undefined) return undefined;
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
    this.#options.expected.withdraw(track, this);
    const consuming = this.#sent.get(track);
    if (consuming === undefined) return;
    background(this.#options.log, 'stop sending through a pipe', consuming.then(async (consumer) => {
      await consumer.pause().catch(unless(() => consumer.closed));
    }, () => undefined));
  }

  /** It can be received: its other side has told of it. */
  expects(track: TrackId): boolean {
    return this.#options.expected.kindOf(track, this.#options.far) !== undefined;
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

  trackAvailable(track: TrackId): void {
    for (const come of this.#arrivals.get(track) ?? []) come();
    if (this.#options.expected.isAskedFor(track, this)) this.#options.arrived(track);
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
    this.#options.meter?.read(this.#transport.id, { received: stats.bytesReceived, sent: stats.bytesSent });
    return { bytesSent: stats.bytesSent, bytesReceived: stats.bytesReceived };
  }

  close(): void {
    this.#transport.close();
  }

  /** The track as it may be sent: of people here, or from beyond a pipe of the other kind, which has to be asked for it. */
  async #source(track: TrackId, layer: number | undefined): Promise<PublishedTrack | undefined> {
    const { tracks, expected, far: { kind } } = this.#options;
    const way = expected.wayOf(track);
    if (way !== undefined && way !== kind) {
      expected.ask(track, this);
      expected.adjust(track, this, { layer: layer ?? topLayer });
      if (kind === 'neighbour' && tracks.get(track) === undefined) await this.#arrival(track);
    }
    const source = tracks.get(track);
    return source?.from === kind ? undefined : source;
  }

  async #arrival(track: TrackId): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiting = this.#arrivals.get(track) ?? new Set();
    this.#arrivals.set(track, waiting);
    const come = (): void => resolve(true);
    waiting.add(come);
    const timer = setTimeout(() => resolve(false), arrivalMs);
    if (!(await promise)) this.#options.log.warn('a track has not come from another worker in time', { track });
    clearTimeout(timer);
    waiting.delete(come);
    if (waiting.size === 0) this.#arrivals.delete(track);
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
    const { far, expected, tracks } = this.#options;
    if (expected.kindOf(track, far) !== kind) throw new Error(`${far.name} offers ${track} as ${kind}, which is not expected of it`);
    if ((rtp.encodings ?? []).length > maxEncodings) throw new Error(`${far.name} offers ${track} with ${rtp.encodings?.length} encodings; ${maxEncodings} are the most`);
    if (isDeepStrictEqual(this.#received.get(track)?.rtp, rtp)) return;
    this.#drop(track);
    const producer = await this.#transport.produce({ kind, rtpParameters: rtp, keyFrameRequestDelay: keyFrameRequestDelayMs });
    // mediasoup tells events one turn after answers: consumers of what was before must have heard of its end.
    await nextTurn();
    // Both may have changed while the worker was asked.
    if (this.closed || expected.kindOf(track, far) !== kind) {
      producer.close();
      return;
    }
    this.#received.set(track, { producer, rtp });
    tracks.add(track, { from: far.kind, owner: undefined, producer, consumed: () => undefined });
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
    if (this.closed) throw new Error(`the pipe to ${this.#options.far.name} is closed`);
  }
}

function inWords({ firstPort, lastPort }: PipeSettings): string {
  if (firstPort === undefined) return 'a UDP port';
  return firstPort === lastPort ? `UDP port ${firstPort}` : `a UDP port from ${firstPort} to ${lastPort}`;
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
