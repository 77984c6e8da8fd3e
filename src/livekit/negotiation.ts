// Owns the agreement on codecs and header extensions between one offered section and the router. Pure.
import type { MediaKind, RtcpFeedback, RtpCapabilities, RtpCodecCapability, RtpCodecParameters, RtpEncodingParameters, RtpHeaderExtensionParameters } from 'mediasoup/types';
import { parseParams, type MediaDescription } from 'sdp-transform';

export interface NegotiatedMedia {
  /** The media codec first, then its retransmission codec if both sides have one; payload types are the offer's. */
  readonly codecs: readonly RtpCodecParameters[];
  /** Ids are the offer's. */
  readonly headerExtensions: readonly RtpHeaderExtensionParameters[];
}

const transportWideFeedbackUri = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';

/** The first offered codec that the router has; undefined: none. */
export function negotiate(kind: MediaKind, offered: MediaDescription, capabilities: RtpCapabilities): NegotiatedMedia | undefined {
  const headerExtensions = commonExtensions(kind, offered, capabilities);
  const usesTransportFeedback = headerExtensions.some(({ uri }) => uri === transportWideFeedbackUri);
  for (const { payload, codec: name, rate, encoding } of offered.rtp) {
    const capability = capabilities.codecs?.find((candidate) => candidate.kind === kind && !isRtx(candidate.mimeType) && matches(candidate, name, rate, encoding));
    if (capability === undefined) continue;
    const codec: RtpCodecParameters = {
      mimeType: capability.mimeType,
      payloadType: payload,
      clockRate: capability.clockRate,
      ...(kind === 'audio' && { channels: capability.channels ?? 1 }),
      parameters: parametersOf(offered, payload),
      rtcpFeedback: commonFeedback(offered, payload, capability, usesTransportFeedback),
    };
    const rtx = retransmissionOf(offered, payload, kind, capability, capabilities);
    return { codecs: rtx === undefined ? [codec] : [codec, rtx], headerExtensions };
  }
  return undefined;
}

/** One encoding per simulcast layer, lowest first, or the one stream that the offer names by its SSRC. */
export function encodingsOf(offered: MediaDescription, { codecs }: NegotiatedMedia): RtpEncodingParameters[] {
  const rids = simulcastIds(offered);
  if (rids.length > 0) return rids.map((rid) => ({ rid, scalabilityMode: 'L1T3' }));
  const hasRtx = codecs.some(({ mimeType }) => isRtx(mimeType));
  const pair = offered.ssrcGroups?.find(({ semantics }) => semantics === 'FID')?.ssrcs.split(' ').map(Number);
  const ssrc = pair?.[0] ?? offered.ssrcs?.[0]?.id;
  if (ssrc === undefined) return [{}];
  return [{ ssrc, ...(hasRtx && pair?.[1] !== undefined && { rtx: { ssrc: pair[1] } }) }];
}

/** The rids that the offer sends, lowest resolution first as far as LiveKit's names tell it. */
export function simulcastIds(offered: MediaDescription): string[] {
  const sent = (offered.rids ?? []).filter(({ direction }) => direction === 'send').map(({ id }) => String(id));
  const ladder = ['q', 'h', 'f'];
  return sent.every((id) => ladder.includes(id)) ? sent.sort((a, b) => ladder.indexOf(a) - ladder.indexOf(b)) : sent;
}

function isRtx(mimeType: string): boolean {
  return mimeType.toLowerCase().endsWith('/rtx');
}

/** RTP parameters of a codec as an `a=fmtp` value; empty when there are none. */
export function formatParameters(parameters: RtpCodecParameters['parameters']): string {
  return Object.entries(parameters ?? {}).map(([key, value]) => `${key}=${String(value)}`).join(';');
}

function matches(capability: RtpCodecCapability, name: string, rate: number | undefined, channels: number | undefined): boolean {
  const sameName = capability.mimeType.toLowerCase() === `${capability.kind}/${name}`.toLowerCase();
  return sameName && capability.clockRate === rate && (capability.kind === 'video' || (capability.channels ?? 1) === (channels ?? 1));
}

function retransmissionOf(offered: MediaDescription, payload: number, kind: MediaKind, capability: RtpCodecCapability, capabilities: RtpCapabilities): RtpCodecParameters | undefined {
  const routerHasIt = capabilities.codecs?.some(({ mimeType, parameters }) => isRtx(mimeType) && parameters?.['apt'] === capability.preferredPayloadType) ?? false;
  const rtx = offered.rtp.find((candidate) => candidate.codec.toLowerCase() === 'rtx' && parametersOf(offered, candidate.payload)['apt'] === payload);
  if (!routerHasIt || rtx === undefined) return undefined;
  return { mimeType: `${kind}/rtx`, payloadType: rtx.payload, clockRate: rtx.rate ?? capability.clockRate, parameters: { apt: payload }, rtcpFeedback: [] };
}

/** What the sender said of its codec, without its hints to itself. */
function parametersOf(offered: MediaDescription, payload: number): Record<string, string | number> {
  const config = offered.fmtp.find((fmtp) => fmtp.payload === payload)?.config;
  if (config === undefined) return {};
  return Object.fromEntries(Object.entries(parseParams(config)).flatMap(([key, value]) => (value === undefined || key.startsWith('x-google-') ? [] : [[key, value] as const])));
}

function commonFeedback(offered: MediaDescription, payload: number, capability: RtpCodecCapability, usesTransportFeedback: boolean): RtcpFeedback[] {
  const wanted = (offered.rtcpFb ?? []).filter((feedback) => feedback.payload === '*' || Number(feedback.payload) === payload);
  return (capability.rtcpFeedback ?? []).filter(({ type, parameter }) => {
    // One bandwidth estimator: mediasoup's transport-wide one where the offer allows it.
    if (type === (usesTransportFeedback ? 'goog-remb' : 'transport-cc')) return false;
    return wanted.some((feedback) => feedback.type === type && (feedback.subtype ?? '') === (parameter ?? ''));
  });
}

function commonExtensions(kind: MediaKind, offered: MediaDescription, capabilities: RtpCapabilities): RtpHeaderExtensionParameters[] {
  return (capabilities.headerExtensions ?? []).flatMap((capability) => {
    if (capability.kind !== kind || capability.direction === 'sendonly' || capability.direction === 'inactive') return [];
    const extension = offered.ext?.find(({ uri }) => uri === capability.uri);
    return extension === undefined ? [] : [{ uri: capability.uri, id: extension.value }];
  });
}
