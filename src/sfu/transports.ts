// Owns the two WebRTC transports of a session: how they are made, described and how their state is read.
import type { Router, WebRtcServer, WebRtcTransport } from 'mediasoup/types';
import type { TransportDescription, TransportSide, TransportState } from '../control/ports/media-plane.ts';

export interface TransportSettings {
  readonly initialOutgoingBitrateKbps: number;
  /** What one person may send in sum; 0: no limit. */
  readonly maxIncomingBitrateKbps: number;
}

export type TransportPair = Readonly<Record<TransportSide, WebRtcTransport>>;

const maxMessageSizeBytes = 262_144;
const iceConsentTimeoutSeconds = 15;

/** @throws when one cannot be made; the other is closed then */
export async function createTransportPair(router: Router, server: WebRtcServer, settings: TransportSettings): Promise<TransportPair> {
  const create = async (): Promise<WebRtcTransport> => await router.createWebRtcTransport({
    webRtcServer: server,
    preferUdp: true,
    iceConsentTimeout: iceConsentTimeoutSeconds,
    initialAvailableOutgoingBitrate: settings.initialOutgoingBitrateKbps * 1_000,
    enableSctp: true,
    maxSendMessageSize: maxMessageSizeBytes,
    maxReceiveMessageSize: maxMessageSizeBytes,
  });
  const made = await Promise.allSettled([create(), create()]);
  const [publisher, subscriber] = made;
  if (publisher.status === 'rejected' || subscriber.status === 'rejected') {
    for (const result of made) if (result.status === 'fulfilled') result.value.close();
    const failed = made.find((result) => result.status === 'rejected');
    throw new Error('the transports of a session cannot be made', { cause: failed?.reason });
  }
  if (settings.maxIncomingBitrateKbps > 0) await publisher.value.setMaxIncomingBitrate(settings.maxIncomingBitrateKbps * 1_000);
  return { publisher: publisher.value, subscriber: subscriber.value };
}

export function describeTransport({ iceParameters, iceCandidates, dtlsParameters, sctpParameters }: WebRtcTransport): TransportDescription {
  const sctp = sctpParameters === undefined ? undefined : { port: sctpParameters.port, maxMessageSizeBytes: sctpParameters.maxReceiveMessageSize };
  return { iceParameters, iceCandidates, dtlsParameters, sctp };
}

/** One state of ICE and DTLS together: media flows only when both are up. */
function transportState({ iceState, dtlsState, closed }: Pick<WebRtcTransport, 'iceState' | 'dtlsState' | 'closed'>): TransportState {
  if (closed || dtlsState === 'closed' || iceState === 'closed') return 'closed';
  if (dtlsState === 'failed') return 'failed';
  if (iceState === 'disconnected') return 'disconnected';
  return dtlsState === 'connected' && iceState !== 'new' ? 'connected' : 'new';
}

/** Tells each change once. */
export function watchTransport(transport: WebRtcTransport, changed: (state: TransportState) => void): void {
  let told: TransportState = 'new';
  const look = (): void => {
    const state = transportState(transport);
    if (state === told) return;
    told = state;
    changed(state);
  };
  transport.on('icestatechange', look);
  transport.on('dtlsstatechange', look);
  transport.on('listenserverclose', look);
  transport.on('routerclose', look);
}
