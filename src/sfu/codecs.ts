// Owns what every router speaks: opus and VP8, and the header extensions that clients may use of what mediasoup offers.
import type { RouterRtpCodecCapability, RtpCapabilities } from 'mediasoup/types';

// The payload types are Chromium's own: encrypting clients fall back to its table when a frame does not name its codec.
export const routerCodecs: RouterRtpCodecCapability[] = [
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2, preferredPayloadType: 111, parameters: { minptime: 10, useinbandfec: 1, usedtx: 1 } },
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90_000, preferredPayloadType: 96 },
];

/** The router's capabilities without the extensions that only mediasoup itself can read, and without what VP8 has no use for. */
export function offeredCapabilities(capabilities: RtpCapabilities): RtpCapabilities {
  const headerExtensions = (capabilities.headerExtensions ?? []).filter(({ uri }) => !uri.startsWith('urn:mediasoup:') && !uri.includes('dependency-descriptor'));
  return { ...capabilities, headerExtensions };
}
