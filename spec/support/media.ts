// Owns small true values of the media ports for specs: capabilities of a real router, a transport, RTP parameters.
import type { RtpCapabilities, RtpParameters } from 'mediasoup/types';
import { generateRouterRtpCapabilities } from 'mediasoup/ortc';
import type { EndpointListener, TransportDescription } from '../../src/control/ports/media-plane.ts';
import { offeredCapabilities, routerCodecs } from '../../src/sfu/codecs.ts';

export function routerCapabilities(): RtpCapabilities {
  return offeredCapabilities(generateRouterRtpCapabilities(structuredClone(routerCodecs)));
}

export const aTransport: TransportDescription = {
  iceParameters: { usernameFragment: 'ourfragment', password: 'ourpassword', iceLite: true },
  iceCandidates: [
    { foundation: 'udpcandidate', priority: 1_076_302_079, ip: '192.0.2.1', address: '192.0.2.1', protocol: 'udp', port: 40_000, type: 'host' },
    { foundation: 'tcpcandidate', priority: 1_076_276_479, ip: '192.0.2.1', address: '192.0.2.1', protocol: 'tcp', port: 40_000, type: 'host', tcpType: 'passive' },
  ],
  dtlsParameters: { role: 'auto', fingerprints: [{ algorithm: 'sha-1', value: 'AA:BB' }, { algorithm: 'sha-256', value: 'CC:DD' }] },
  sctp: { port: 5_000, maxMessageSizeBytes: 262_144 },
};

/** RTP parameters that a router takes; the SSRC tells streams apart. */
export function opusParameters(ssrc: number, mid = '0'): RtpParameters {
  return {
    mid,
    codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2, parameters: { useinbandfec: 1 }, rtcpFeedback: [{ type: 'transport-cc' }] }],
    headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 4 }, { uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', id: 1 }],
    encodings: [{ ssrc }],
    rtcp: { cname: 'spec' },
  };
}

export function simulcastParameters(mid = '1'): RtpParameters {
  return {
    mid,
    codecs: [
      { mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000, rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }] },
      { mimeType: 'video/rtx', payloadType: 97, clockRate: 90_000, parameters: { apt: 96 } },
    ],
    headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 4 }, { uri: 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id', id: 10 }],
    encodings: ['q', 'h', 'f'].map((rid) => ({ rid, scalabilityMode: 'L1T3' })),
    rtcp: { cname: 'spec' },
  };
}

export const silentListener: EndpointListener = {
  transportStateChanged: () => undefined,
  consumerClosed: () => undefined,
  consumerLayerChanged: () => undefined,
  producerConsumed: () => undefined,
  trackAvailable: () => undefined,
};
