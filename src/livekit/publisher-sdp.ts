// Owns the publisher's side of SDP: reading the client's offer and writing our answer to it. Pure.
import type { DtlsParameters, MediaKind, RtpCapabilities, RtpCodecParameters, RtpParameters } from 'mediasoup/types';
import { parse, write, type MediaDescription, type SessionDescription } from 'sdp-transform';
import type { TransportDescription } from '../control/ports/media-plane.ts';
import { encodingsOf, negotiate, simulcastIds, type NegotiatedMedia } from './negotiation.ts';
import { applicationSection, asText, codecLines, describeSession, remoteDtls, SdpError, transportLines } from './sdp-text.ts';

export interface PublisherOffer {
  readonly dtls: DtlsParameters;
  /** Changes when the client restarts ICE. */
  readonly iceUsernameFragment: string;
  readonly sections: readonly OfferedSection[];
}

export interface OfferedSection {
  readonly mid: string;
  readonly kind: MediaKind | 'application' | 'unknown';
  /** Port 0: the client has given the section up. */
  readonly dead: boolean;
  /** What it sends, ready for mediasoup; undefined: it sends nothing, or nothing that the router takes. */
  readonly sends: { readonly rtpParameters: RtpParameters; readonly clientTrackId: string | undefined } | undefined;
  readonly offered: MediaDescription;
  readonly negotiated: NegotiatedMedia | undefined;
}

/** How one section is answered. */
export interface AcceptedSection {
  readonly dtx: boolean;
  readonly stereo: boolean;
}

const maxSections = 128;

/** @throws SdpError when it is not a session description that we can answer */
export function readPublisherOffer(sdp: string, capabilities: RtpCapabilities): PublisherOffer {
  const session = parseSession(sdp);
  if (session.media.length > maxSections) throw new SdpError(`the offer has more than ${maxSections} sections`);
  const sections = session.media.map((offered): OfferedSection => readSection(session, offered, capabilities));
  const mids = sections.map(({ mid }) => mid);
  if (mids.includes('') || new Set(mids).size !== mids.length) throw new SdpError('the sections of the offer are not told apart by mid');
  const iceUsernameFragment = session.iceUfrag ?? session.media.find(({ iceUfrag }) => iceUfrag !== undefined)?.iceUfrag;
  return { dtls: remoteDtls(session, 'client'), iceUsernameFragment: asText(iceUsernameFragment), sections };
}

/** `accepted`: the sections that we receive, by mid; all others are answered inactive. Our DTLS side is passive. Source: RFC 8829 §5.3. */
export function writePublisherAnswer(offer: PublisherOffer, { transport, accepted, version }: { readonly transport: TransportDescription; readonly accepted: ReadonlyMap<string, AcceptedSection>; readonly version: number }): string {
  const media = offer.sections.map((section) => answerSection(section, transport, accepted.get(section.mid)));
  const bundled = media.filter(({ port }) => port !== 0).map(({ mid }) => asText(mid));
  return write(describeSession({ sessionId: 1, version, bundled, media }));
}

function parseSession(sdp: string): SessionDescription {
  try {
    const session = parse(sdp);
    if (session.media.length > 0) return session;
  } catch (error) {
    throw new SdpError('the session description cannot be read', { cause: error });
  }
  throw new SdpError('the session description has no sections');
}

function readSection(session: SessionDescription, offered: MediaDescription, capabilities: RtpCapabilities): OfferedSection {
  const mid = asText(offered.mid);
  const dead = offered.port === 0 && offered.bundleOnly === undefined;
  if (offered.type === 'application') return { mid, kind: 'application', dead, sends: undefined, offered, negotiated: undefined };
  if (offered.type !== 'audio' && offered.type !== 'video') return { mid, kind: 'unknown', dead: true, sends: undefined, offered, negotiated: undefined };
  const direction = offered.direction ?? session.direction ?? 'sendrecv';
  const negotiated = negotiate(offered.type, offered, capabilities);
  const sends = !dead && negotiated !== undefined && (direction === 'sendonly' || direction === 'sendrecv')
    ? { rtpParameters: rtpParametersOf(mid, offered, negotiated), clientTrackId: clientTrackIdOf(offered) }
    : undefined;
  return { mid, kind: offered.type, dead, sends, offered, negotiated };
}

/** The second word of `a=msid`. Firefox writes it in braces, which the parser does not take for one. Source: RFC 8830. */
function clientTrackIdOf(offered: MediaDescription): string | undefined {
  const unread = offered.invalid?.find(({ value }) => value.startsWith('msid:'))?.value.split(' ')[1];
  return unread ?? offered.msid?.[0]?.appdata;
}

function rtpParametersOf(mid: string, offered: MediaDescription, negotiated: NegotiatedMedia): RtpParameters {
  const cname = offered.ssrcs?.find(({ attribute }) => attribute === 'cname')?.value;
  return {
    mid,
    codecs: [...negotiated.codecs],
    headerExtensions: [...negotiated.headerExtensions],
    encodings: encodingsOf(offered, negotiated),
    rtcp: { reducedSize: offered.rtcpRsize !== undefined, ...(cname !== undefined && { cname }) },
  };
}

function answerSection(section: OfferedSection, transport: TransportDescription, accepted: AcceptedSection | undefined): MediaDescription {
  const { mid, kind, dead, offered, negotiated } = section;
  if (dead || (kind !== 'application' && negotiated === undefined)) return refusal(mid, offered);
  if (kind === 'application') return applicationSection(mid, transport, 'passive');
  const { codecs, headerExtensions } = negotiated ?? { codecs: [], headerExtensions: [] };
  const base: MediaDescription = {
    type: offered.type,
    port: 9,
    protocol: offered.protocol,
    mid,
    direction: accepted === undefined ? 'inactive' : 'recvonly',
    ...codecLines(codecs.map((codec) => answerCodec(codec, accepted)), headerExtensions),
    ...transportLines(transport, 'passive'),
    rtcpMux: 'rtcp-mux',
    rtcpRsize: 'rtcp-rsize',
  };
  const rids = accepted === undefined ? [] : simulcastIds(offered);
  if (rids.length === 0) return base;
  return { ...base, rids: rids.map((id) => ({ id, direction: 'recv' })), simulcast: { dir1: 'recv', list1: offered.simulcast?.list1 ?? rids.join(';') } };
}

/** The parameters of what will really be sent, after our answer; `sprop-stereo` tells receivers to play both channels. */
export function sentParameters(offered: RtpParameters, { dtx, stereo }: AcceptedSection): RtpParameters {
  return {
    ...offered,
    codecs: offered.codecs.map((codec) => (codec.mimeType === 'audio/opus' ? { ...codec, parameters: { ...opusParameters(dtx), ...(stereo && { 'sprop-stereo': 1 }) } } : codec)),
  };
}

/** What we want to receive of opus: error correction always, pauses and stereo as the track asks. */
function answerCodec(codec: RtpCodecParameters, accepted: AcceptedSection | undefined): RtpCodecParameters {
  if (codec.mimeType !== 'audio/opus') return codec;
  const { dtx, stereo } = accepted ?? { dtx: true, stereo: false };
  return { ...codec, parameters: { ...opusParameters(dtx), ...(stereo && { stereo: 1 }) } };
}

function opusParameters(dtx: boolean): Record<string, number> {
  return { minptime: 10, useinbandfec: 1, ...(dtx && { usedtx: 1 }) };
}

function refusal(mid: string, offered: MediaDescription): MediaDescription {
  return { type: offered.type, port: 0, protocol: offered.protocol, payloads: offered.payloads ?? '', rtp: offered.rtp.slice(0, 1), fmtp: [], mid, direction: 'inactive', connection: { version: 4, ip: '0.0.0.0' } };
}
