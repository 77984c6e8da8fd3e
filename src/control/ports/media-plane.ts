// Port: the media of calls. Implemented by sfu/. Media never passes through here, only its control.
import type {
  DtlsParameters, IceCandidate, IceParameters, MediaKind, RtpCapabilities, RtpParameters,
} from 'mediasoup/types';
import type { CallId, ParticipantId, TrackId } from '../../call/ids.ts';

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
}

export interface SpeakerLevel {
  readonly participant: ParticipantId;
  readonly level: number;
}

export interface CallMedia {
  /** What the router can receive and send; the same for every call. */
  readonly rtpCapabilities: RtpCapabilities;
  endpoint(id: ParticipantId, listener: EndpointListener): Promise<MediaEndpoint>;
  /** Post: all endpoints closed; idempotent. */
  close(): void;
}

export interface EndpointListener {
  /** ICE or DTLS of one transport. `failed` and `closed` are final for that transport. */
  transportStateChanged(side: TransportSide, state: TransportState): void;
  /** The producer of a track we consume has gone; the consumer is closed already. */
  consumerClosed(track: TrackId): void;
  /** Spatial layer now sent; undefined: nothing is sent for lack of bandwidth. Only for consumers that we did not pause. */
  consumerLayerChanged(track: TrackId, spatialLayer: number | undefined): void;
  /** Somebody receives a track of ours for the first time. Once per producer. */
  producerConsumed(track: TrackId): void;
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
  /** Paused. undefined: the track has gone or cannot be consumed. */
  consume(track: TrackId, mid: string): Promise<ConsumerDescription | undefined>;
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
