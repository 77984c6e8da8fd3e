// Owns the parts of a session description that both directions share: its head, its transport, its codecs.
import type { DtlsParameters, IceCandidate, RtpCodecParameters, RtpHeaderExtensionParameters } from 'mediasoup/types';
import type { MediaDescription, SessionDescription } from 'sdp-transform';
import type { TransportDescription } from '../control/ports/media-plane.ts';
import { formatParameters } from './negotiation.ts';

/** A session description that cannot be used; the message says why, without quoting it. */
export class SdpError extends Error {}

export interface SessionHead {
  readonly sessionId: number;
  readonly version: number;
  /** Sections that share the one transport, in order. */
  readonly bundled: readonly string[];
  readonly media: MediaDescription[];
}

/** An ICE-lite session whose media all runs over one transport. Source: RFC 8829. */
export function describeSession({ sessionId, version, bundled, media }: SessionHead): SessionDescription {
  return {
    version: 0,
    origin: { username: '-', sessionId, sessionVersion: version, netType: 'IN', ipVer: 4, address: '127.0.0.1' },
    name: '-',
    timing: { start: 0, stop: 0 },
    icelite: 'ice-lite',
    extmapAllowMixed: 'extmap-allow-mixed',
    msidSemantic: { semantic: 'WMS', token: '*' },
    ...(bundled.length > 0 && { groups: [{ type: 'BUNDLE', mids: bundled.join(' ') }] }),
    media,
  };
}

/** `setup` is ours: actpass in an offer, passive in an answer. */
export function transportLines(transport: TransportDescription, setup: 'actpass' | 'passive'): Partial<MediaDescription> {
  const fingerprint = sha256(transport.dtlsParameters);
  return {
    connection: { version: 4, ip: '0.0.0.0' },
    iceUfrag: transport.iceParameters.usernameFragment,
    icePwd: transport.iceParameters.password,
    iceOptions: 'renomination',
    fingerprint: { type: fingerprint.algorithm, hash: fingerprint.value },
    setup,
    candidates: transport.iceCandidates.map((candidate) => ({
      foundation: candidate.foundation,
      component: 1,
      transport: candidate.protocol,
      priority: candidate.priority,
      ip: candidate.address,
      port: candidate.port,
      type: candidate.type,
      ...(candidate.tcpType !== undefined && { tcptype: candidate.tcpType }),
    })),
    endOfCandidates: 'end-of-candidates',
  };
}

export function codecLines(codecs: readonly RtpCodecParameters[], headerExtensions: readonly RtpHeaderExtensionParameters[]): Pick<MediaDescription, 'payloads' | 'rtp' | 'fmtp' | 'rtcpFb' | 'ext'> {
  return {
    payloads: codecs.map(({ payloadType }) => payloadType).join(' '),
    rtp: codecs.map(({ payloadType, mimeType, clockRate, channels }) => ({
      payload: payloadType,
      codec: mimeType.slice(mimeType.indexOf('/') + 1),
      rate: clockRate,
      ...(channels !== undefined && channels > 1 && { encoding: channels }),
    })),
    fmtp: codecs.flatMap(({ payloadType, parameters }) => {
      const config = formatParameters(parameters);
      return config === '' ? [] : [{ payload: payloadType, config }];
    }),
    rtcpFb: codecs.flatMap(({ payloadType, rtcpFeedback = [] }) => rtcpFeedback.map(({ type, parameter }) => ({
      payload: payloadType,
      type,
      ...(parameter !== undefined && parameter !== '' && { subtype: parameter }),
    }))),
    ext: headerExtensions.map(({ id, uri }) => ({ value: id, uri })),
  };
}

/** The data channels' section. Source: RFC 8841. */
export function applicationSection(mid: string, transport: TransportDescription, setup: 'actpass' | 'passive'): MediaDescription {
  return {
    type: 'application',
    port: 9,
    protocol: 'UDP/DTLS/SCTP',
    payloads: 'webrtc-datachannel',
    rtp: [],
    fmtp: [],
    mid,
    ...transportLines(transport, setup),
    sctpPort: transport.sctp?.port ?? 5_000,
    maxMessageSize: transport.sctp?.maxMessageSizeBytes ?? 262_144,
  };
}

/** An `RTCIceCandidateInit` as JSON, as LiveKit's trickle message carries it. */
export function candidateInit({ foundation, protocol, priority, address, port, type, tcpType }: IceCandidate, mid: string): string {
  const tcp = tcpType === undefined ? '' : ` tcptype ${tcpType}`;
  return JSON.stringify({ candidate: `candidate:${foundation} 1 ${protocol} ${priority} ${address} ${port} typ ${type}${tcp}`, sdpMid: mid, sdpMLineIndex: 0 });
}

/** How the other side proves itself: the fingerprint of its session or first section. We are told the role it takes. @throws SdpError */
export function remoteDtls(session: SessionDescription, role: 'client' | 'server'): DtlsParameters {
  const fingerprint = session.fingerprint ?? session.media.find((media) => media.fingerprint !== undefined && media.port !== 0)?.fingerprint;
  if (fingerprint === undefined) throw new SdpError('the session description has no fingerprint');
  const algorithm = (['sha-256', 'sha-384', 'sha-512', 'sha-224', 'sha-1'] as const).find((known) => known === fingerprint.type.toLowerCase());
  if (algorithm === undefined) throw new SdpError('the session description has a fingerprint of an unknown kind');
  return { role, fingerprints: [{ algorithm, value: fingerprint.hash }] };
}

/** The parser reads a text of digits as a number, whatever its types say. */
export function asText(parsed: string | number | undefined): string {
  return String(parsed ?? '');
}

function sha256({ fingerprints }: DtlsParameters): DtlsParameters['fingerprints'][number] {
  const fingerprint = fingerprints.find(({ algorithm }) => algorithm === 'sha-256') ?? fingerprints[0];
  if (fingerprint === undefined) throw new Error('the transport has no DTLS fingerprint');
  return fingerprint;
}
