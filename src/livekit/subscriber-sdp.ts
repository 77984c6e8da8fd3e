// Owns the subscriber's side of SDP: the sections that we offer, their order for ever, and the text of the offer.
import type { DtlsParameters, MediaKind, RtpParameters } from 'mediasoup/types';
import { parse, write, type MediaDescription } from 'sdp-transform';
import type { ParticipantId, TrackId } from '../call/ids.ts';
import type { TransportDescription } from '../control/ports/media-plane.ts';
import { applicationSection, codecLines, describeSession, remoteDtls, SdpError, transportLines } from './sdp-text.ts';

export interface SentTrack {
  readonly mid: string;
  readonly kind: MediaKind;
  readonly participant: ParticipantId;
  readonly track: TrackId;
  readonly rtpParameters: RtpParameters;
}

interface Section {
  readonly kind: MediaKind;
  /** The last track that it carried; undefined while it is closed. */
  sent: SentTrack | undefined;
  lastMid: string;
  /** The client was offered it closed: only then may another track take it. */
  free: boolean;
  /** Lines that a closed section still needs to be well-formed. */
  readonly payloads: string;
}

/** The data channels' section comes first and stays: the whole bundle hangs on it. */
const anchorMid = '0';

export class SubscriberSections {
  readonly #sections: Section[] = [];
  #nextMid = 1;
  #version = 0;

  /** A mid that was never used before in this session. */
  claimMid(): string {
    const mid = String(this.#nextMid);
    this.#nextMid += 1;
    return mid;
  }

  /** A section of the same kind that the client knows as closed is taken again. */
  add(sent: SentTrack): void {
    const closed = this.#sections.find((section) => section.free && section.kind === sent.kind);
    if (closed !== undefined) {
      closed.sent = sent;
      closed.lastMid = sent.mid;
      closed.free = false;
      return;
    }
    const payloads = sent.rtpParameters.codecs.map(({ payloadType }) => payloadType).join(' ');
    this.#sections.push({ kind: sent.kind, sent, lastMid: sent.mid, free: false, payloads });
  }

  close(track: TrackId): void {
    for (const section of this.#sections) if (section.sent?.track === track) section.sent = undefined;
  }

  get tracks(): readonly SentTrack[] {
    return this.#sections.flatMap(({ sent }) => sent ?? []);
  }

  /** LiveKit's SessionDescription.mid_to_track_id. */
  midToTrack(): Record<string, string> {
    return Object.fromEntries(this.tracks.map(({ mid, track }) => [mid, track]));
  }

  /** Each call is a new version of the same session, to be made when the one before is answered. */
  write(transport: TransportDescription): string {
    this.#version += 1;
    for (const section of this.#sections) section.free = section.sent === undefined;
    const media = [applicationSection(anchorMid, transport, 'actpass'), ...this.#sections.map((section) => (section.sent === undefined ? closedSection(section) : sendingSection(section.sent, transport)))];
    const bundled = [anchorMid, ...this.tracks.map(({ mid }) => mid)];
    return write(describeSession({ sessionId: 1, version: this.#version, bundled, media }));
  }
}

/** The client's DTLS parameters of its answer. @throws SdpError */
export function readSubscriberAnswer(sdp: string): DtlsParameters {
  let session;
  try {
    session = parse(sdp);
  } catch (error) {
    throw new SdpError('the answer cannot be read', { cause: error });
  }
  const setup = session.setup ?? session.media.find((media) => media.setup !== undefined)?.setup;
  return remoteDtls(session, setup === 'passive' ? 'server' : 'client');
}

function sendingSection({ mid, kind, participant, track, rtpParameters }: SentTrack, transport: TransportDescription): MediaDescription {
  const cname = rtpParameters.rtcp?.cname ?? participant;
  const streams = (rtpParameters.encodings ?? []).flatMap(({ ssrc, rtx }) => (ssrc === undefined ? [] : [{ ssrc, rtx: rtx?.ssrc }]));
  return {
    type: kind,
    port: 9,
    protocol: 'UDP/TLS/RTP/SAVPF',
    mid,
    direction: 'sendonly',
    // LiveKit clients find participant and track in the stream's name, `PA_…|TR_…`.
    msid: [{ id: `${participant}|${track}`, appdata: track }],
    ...codecLines(rtpParameters.codecs, rtpParameters.headerExtensions ?? []),
    ...transportLines(transport, 'actpass'),
    rtcpMux: 'rtcp-mux',
    rtcpRsize: 'rtcp-rsize',
    ssrcs: streams.flatMap(({ ssrc, rtx }) => [ssrc, ...(rtx === undefined ? [] : [rtx])].map((id) => ({ id, attribute: 'cname', value: cname }))),
    ssrcGroups: streams.flatMap(({ ssrc, rtx }) => (rtx === undefined ? [] : [{ semantics: 'FID', ssrcs: `${ssrc} ${rtx}` }])),
  };
}

function closedSection({ kind, lastMid, payloads }: Section): MediaDescription {
  return { type: kind, port: 0, protocol: 'UDP/TLS/RTP/SAVPF', payloads, rtp: [], fmtp: [], mid: lastMid, direction: 'inactive', connection: { version: 4, ip: '0.0.0.0' } };
}
