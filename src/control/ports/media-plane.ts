// Port: the media of calls. Implemented by sfu/. Media never passes through here, only its control.
import type {
  DtlsParameters, IceCandidate, IceParameters, MediaKind, RtpCapabilities, RtpParameters,
} from 'mediasoup/types';
import type { CallId, ParticipantId, ServerName, TrackId } from '../../call/ids.ts';
import type { PipeEnd } from './peer-links.ts';

export interface MediaPlane {
  /** Post: the same callId gives the same CallMedia until it is closed. @throws if no worker is left */
  open(callId: CallId, listener: CallMediaListener): Promise<CallMedia>;
  /** Load and traffic since the start, for metrics and the health page. */
  snapshot(): Promise<MediaSnapshot>;
}

export interface MediaSnapshot {
  readonly workers: readonly { readonly pid: number; readonly cpuRatio: number; readonly routers: number; readonly alive: boolean }[];
  readonly bytesReceived: number;
  readonly bytesSent: number;
}

export interface CallMediaListener {
  /** Who speaks now, loudest first, level 0..1; an empty list when nobody does. At most every 400 ms, only on change. */
  speakersChanged(speakers: readonly SpeakerLevel[]): void;
  /** The worker of this call died: every endpoint is gone. Called once. */
  mediaLost(): void;
  /** What people here want of an expected track; undefined: nobody wants it any more. Only on change, in the next turn, and again when a new pipe to its neighbour opens; not for tracks that are no longer expected. */
  demandChanged(track: TrackId, demand: TrackDemand | undefined): void;
}

export interface TrackDemand {
  /** The highest spatial layer that somebody wants; undefined: sound. */
  readonly layer: number | undefined;
}

export interface SpeakerLevel {
  readonly participant: ParticipantId;
  readonly level: number;
}

export interface CallMedia {
  /** What the router can receive and send; the same for every call. */
  readonly rtpCapabilities: RtpCapabilities;
  endpoint(id: ParticipantId, listener: EndpointListener): Promise<MediaEndpoint>;
  /**
   * The tracks that a neighbour has in this call, instead of those told before; best told before people hear of them.
   * A track that is not in it any more is closed as if its producer had gone. Ids that are taken here are left out.
   */
  expect(peer: ServerName, tracks: ReadonlyMap<TrackId, MediaKind>): void;
  /** One per neighbour until it is closed: the same pipe again. @throws if pipes are not configured or no port of theirs is free, in words for the operator */
  pipe(peer: ServerName): Promise<MediaPipe>;
  /** Post: all endpoints and pipes closed; idempotent. */
  close(): void;
}

/** The media between this call and a neighbour's, encrypted, in both directions. Closed: methods refuse or do nothing. */
export interface MediaPipe {
  /** What the other side must connect to. */
  readonly local: PipeEnd;
  readonly closed: boolean;
  /** Once. @throws if the address, the suite or the key cannot be used, in words */
  connect(remote: PipeEnd): Promise<void>;
  /** A track of somebody here flows from now on, its spatial layers up to this one; undefined: all of it. The same offer as long as the track lives. undefined: there is no such track here. */
  send(track: TrackId, layer: number | undefined): Promise<PipeOffer | undefined>;
  /** Post: nothing of it flows any more until it is sent again. */
  stopSending(track: TrackId): void;
  /** Post: the expected track can be consumed, and who waits for it was told. Another offer replaces the one before. @throws if it is not expected of this neighbour or the offer cannot be used */
  receive(track: TrackId, offer: PipeOffer): Promise<void>;
  /** The neighbour sends it no more. It stays expected; viewers who paused it keep their consumers until it is received again. */
  stopReceiving(track: TrackId): void;
  /** Of the transport alone: cheap enough to be asked all the time. */
  traffic(): Promise<PipeTraffic>;
  stats(): Promise<PipeStats>;
  /** Post: what was received is gone; idempotent. */
  close(): void;
}

export interface PipeOffer {
  readonly kind: MediaKind;
  readonly rtp: RtpParameters;
  /** Nothing flows for now: the track is muted. Media comes by itself when it is not any more. */
  readonly paused: boolean;
}

export interface PipeTraffic {
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

export interface PipeStats extends PipeTraffic {
  readonly packetsSent: number;
  readonly packetsReceived: number;
  /** Of what we receive, before repair. */
  readonly packetsLost: number;
  /** Of those, what came again when it was asked for. */
  readonly packetsRepaired: number;
  /** undefined: we send nothing, or the other side has not reported yet. */
  readonly roundTripMs: number | undefined;
}

export interface EndpointListener {
  /** ICE or DTLS of one transport. `failed` and `closed` are final for that transport. */
  transportStateChanged(side: TransportSide, state: TransportState): void;
  /** The producer of a track we consume has gone; the consumer is closed already. If the endpoint now waits for it, it may come back. */
  consumerClosed(track: TrackId): void;
  /** Spatial layer now sent; undefined: nothing is sent for lack of bandwidth. Only for consumers that we did not pause. */
  consumerLayerChanged(track: TrackId, spatialLayer: number | undefined): void;
  /** Somebody receives a track of ours for the first time. Once per producer. */
  producerConsumed(track: TrackId): void;
  /** A neighbour's track can be asked for from now on, or it was and has arrived: consume it now. */
  trackAvailable(track: TrackId): void;
}

export type TransportSide = 'publisher' | 'subscriber';
export type TransportState = 'new' | 'connected' | 'disconnected' | 'failed' | 'closed';

export interface TransportDescription {
  readonly iceParameters: IceParameters;
  readonly iceCandidates: readonly IceCandidate[];
  readonly dtlsParameters: DtlsParameters;
  readonly sctp: { readonly port: number; readonly maxMessageSizeBytes: number } | undefined;
}

/** The transports, producers and consumers of one session. Every method is a no-op or refused after close. */
export interface MediaEndpoint {
  readonly publisher: TransportDescription;
  readonly subscriber: TransportDescription;
  /** Once per side. @throws if the parameters are refused */
  connect(side: TransportSide, dtlsParameters: DtlsParameters): Promise<void>;
  /** New ICE credentials for that side; DTLS and SRTP stay. */
  restartIce(side: TransportSide): Promise<IceParameters>;
  /** @throws if mediasoup refuses the RTP parameters (nothing is left behind then) */
  produce(track: TrackId, options: ProduceOptions): Promise<void>;
  setProducerPaused(track: TrackId, paused: boolean): Promise<void>;
  /** Post: consumers of it are closed everywhere. */
  closeProducer(track: TrackId): void;
  /**
   * Paused. undefined: the track has gone, cannot be consumed, or comes from a neighbour or another worker and has not arrived: then the endpoint waits for it.
   * Waiting counts as demand; the methods for consumers (pause, layers, close) say what of it is wanted.
   */
  consume(track: TrackId, mid: string): Promise<ConsumerDescription | undefined>;
  /** An expected track was asked for and has not arrived. */
  waitsFor(track: TrackId): boolean;
  setConsumerPaused(track: TrackId, paused: boolean): Promise<void>;
  setPreferredLayers(track: TrackId, layers: { readonly spatialLayer: number; readonly temporalLayer?: number }): Promise<void>;
  setPriority(track: TrackId, priority: number): Promise<void>;
  requestKeyFrame(track: TrackId): Promise<void>;
  closeConsumer(track: TrackId): void;
  /** Quality of this person's connection, from producer and consumer scores, loss and round trip. */
  quality(): Promise<EndpointQuality>;
  close(): void;
}

export interface ProduceOptions {
  readonly kind: MediaKind;
  readonly rtpParameters: RtpParameters;
  readonly paused: boolean;
  /** The speaker detection looks at it. */
  readonly speech: boolean;
}

export interface ConsumerDescription {
  readonly kind: MediaKind;
  readonly rtpParameters: RtpParameters;
  /** Number of spatial layers: 1 = no choice. */
  readonly spatialLayers: number;
}

export interface EndpointQuality {
  /** 0..10 as mediasoup scores streams; undefined: nothing is sent in that direction. */
  readonly uplinkScore: number | undefined;
  readonly downlinkScore: number | undefined;
}
