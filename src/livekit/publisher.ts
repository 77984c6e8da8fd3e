// Owns what one session sends: announced tracks, the sections of its offers, and which belongs to which.
import { RequestResponse, RequestResponse_Reason, SessionDescription, SignalTarget, TrackPublishedResponse, TrackUnpublishedResponse, TrickleRequest, type AddTrackRequest } from '@livekit/protocol';
import type { RtpCapabilities } from 'mediasoup/types';
import type { CallError } from '../call/errors.ts';
import type { TrackId } from '../call/ids.ts';
import type { Track } from '../call/track.ts';
import type { MediaEndpoint, TransportDescription } from '../control/ports/media-plane.ts';
import type { SessionControl } from '../control/ports/session.ts';
import type { Logger } from '../log/logger.ts';
import { asError } from '../util/background.ts';
import { readPublisherOffer, sentParameters, writePublisherAnswer, type AcceptedSection, type OfferedSection, type PublisherOffer } from './publisher-sdp.ts';
import { candidateInit } from './sdp-text.ts';
import type { Send } from './signal-socket.ts';
import { fromAddTrack, isStereo, usesDtx } from './wire-in.ts';
import { toTrack } from './wire-out.ts';

export interface PublisherOptions {
  readonly endpoint: MediaEndpoint;
  readonly control: SessionControl;
  readonly capabilities: RtpCapabilities;
  readonly send: Send;
  readonly log: Logger;
}

interface SendingSection {
  readonly mid: string;
  readonly kind: Track['kind'];
  sends: NonNullable<OfferedSection['sends']>;
  /** undefined: its track is not announced yet. */
  track: TrackId | undefined;
}

/** Nobody asks for more by mistake. */
const maxRefusedNames = 100;

/** Every method must run after the one before it has ended: the session's inbox sees to that. */
export class Publisher {
  readonly #options: PublisherOptions;
  /** Announced, waiting for their section; the oldest first. */
  readonly #announced = new Map<TrackId, Track>();
  readonly #sections = new Map<string, SendingSection>();
  readonly #published = new Map<TrackId, Track>();
  readonly #refusedNames = new Set<string>();
  #transport: TransportDescription;
  #iceUsernameFragment: string | undefined;
  #version = 0;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#transport = options.endpoint.publisher;
  }

  async addTrack(request: AddTrackRequest): Promise<void> {
    const { control, send, log } = this.#options;
    const description = fromAddTrack(request);
    if (description === undefined) {
      send({ case: 'requestResponse', value: new RequestResponse({ reason: RequestResponse_Reason.UNSUPPORTED_TYPE, request: { case: 'addTrack', value: request } }) });
      return;
    }
    const announced = await control.announceTrack(description);
    if (!announced.ok) {
      log.info('track refused', { code: announced.error.code, detail: announced.error.detail });
      if (this.#refusedNames.size < maxRefusedNames) this.#refusedNames.add(description.clientTrackId);
      send({ case: 'requestResponse', value: new RequestResponse({ reason: refusalReason(announced.error), request: { case: 'addTrack', value: request } }) });
      return;
    }
    this.#announced.set(announced.value.id, announced.value);
    send({ case: 'trackPublished', value: new TrackPublishedResponse({ cid: description.clientTrackId, track: toTrack(announced.value) }) });
    // The offer with its section may have come first.
    for (const track of await this.#produceClaimed()) await this.#show(track);
  }

  /** @throws SdpError when the offer cannot be answered */
  async offer({ sdp, id }: SessionDescription): Promise<void> {
    const { capabilities, send, endpoint } = this.#options;
    const offer = readPublisherOffer(sdp, capabilities);
    const first = this.#iceUsernameFragment === undefined;
    await this.#connect(offer);
    await this.#dropSilent(offer);
    this.#takeSections(offer);
    const begun = await this.#produceClaimed();
    this.#version += 1;
    const answer = writePublisherAnswer(offer, { transport: this.#transport, accepted: this.#accepted(), version: this.#version });
    send({ case: 'answer', value: new SessionDescription({ type: 'answer', sdp: answer, id }) });
    if (first) {
      const mid = offer.sections[0]?.mid ?? '0';
      for (const candidate of endpoint.publisher.iceCandidates) send({ case: 'trickle', value: new TrickleRequest({ target: SignalTarget.PUBLISHER, candidateInit: candidateInit(candidate, mid) }) });
    }
    for (const track of begun) await this.#show(track);
  }

  async setMuted(track: TrackId, muted: boolean): Promise<void> {
    const { control, endpoint, log } = this.#options;
    const changed = await control.setMuted(track, muted);
    if (!changed.ok) {
      log.debug('mute of an unknown track', { track, code: changed.error.code });
      return;
    }
    if (this.#announced.has(track)) this.#announced.set(track, changed.value);
    await endpoint.setProducerPaused(track, muted);
  }

  /** DTLS once; ICE again when the client has new credentials. */
  async #connect({ dtls, iceUsernameFragment }: PublisherOffer): Promise<void> {
    const { endpoint } = this.#options;
    const known = this.#iceUsernameFragment;
    this.#iceUsernameFragment = iceUsernameFragment;
    if (known === undefined) await endpoint.connect('publisher', dtls);
    else if (known !== iceUsernameFragment) this.#transport = { ...this.#transport, iceParameters: await endpoint.restartIce('publisher') };
  }

  /** Unpublishing has no message: the section stops sending, is given up, or begins to carry another track. */
  async #dropSilent({ sections }: PublisherOffer): Promise<void> {
    for (const [mid, section] of this.#sections) {
      const offered = sections.find((candidate) => candidate.mid === mid);
      const replaced = offered?.sends?.clientTrackId !== section.sends.clientTrackId && [...this.#announced.values()].some(({ clientTrackId }) => clientTrackId === offered?.sends?.clientTrackId);
      if (offered?.sends !== undefined && !replaced) continue;
      this.#sections.delete(mid);
      if (section.track !== undefined) await this.#unpublish(section.track);
    }
  }

  #takeSections({ sections }: PublisherOffer): void {
    for (const { mid, kind, sends } of sections) {
      if (sends === undefined || (kind !== 'audio' && kind !== 'video') || this.#sections.has(mid)) continue;
      this.#sections.set(mid, { mid, kind, sends, track: undefined });
    }
  }

  /** Gives sections their tracks and starts them. Returns what others may see now. */
  async #produceClaimed(): Promise<TrackId[]> {
    const { endpoint, log } = this.#options;
    const begun: TrackId[] = [];
    for (const [section, track] of this.#claims()) {
      this.#announced.delete(track.id);
      try {
        await endpoint.produce(track.id, { kind: section.kind, rtpParameters: sentParameters(section.sends.rtpParameters, soundOf(track)), paused: track.muted, speech: track.kind === 'audio' && track.source !== 'screenShareAudio' });
      } catch (error) {
        log.warn('track cannot be received', { track: track.id, error: asError(error) });
        this.#sections.delete(section.mid);
        await this.#withdraw(track.id);
        continue;
      }
      section.track = track.id;
      this.#published.set(track.id, track);
      begun.push(track.id);
    }
    return begun;
  }

  /** By the client's own name of the track; where a browser sends another name (Firefox), the oldest announced track of the kind. */
  #claims(): (readonly [SendingSection, Track])[] {
    const open = [...this.#sections.values()].filter(({ track }) => track === undefined);
    const free = new Map(this.#announced);
    const claims: (readonly [SendingSection, Track])[] = [];
    const claim = (section: SendingSection, track: Track | undefined): void => {
      if (track === undefined) return;
      free.delete(track.id);
      claims.push([section, track]);
    };
    for (const section of open) claim(section, [...free.values()].find(({ clientTrackId, kind }) => clientTrackId === section.sends.clientTrackId && kind === section.kind));
    const claimed = new Set(claims.map(([section]) => section));
    for (const section of open) {
      if (claimed.has(section) || this.#refusedNames.has(section.sends.clientTrackId ?? '')) continue;
      claim(section, [...free.values()].find(({ kind }) => kind === section.kind));
    }
    return claims;
  }

  #accepted(): ReadonlyMap<string, AcceptedSection> {
    return new Map([...this.#sections.values()].map(({ mid, track }) => {
      const published = track === undefined ? undefined : this.#published.get(track);
      return [mid, published === undefined ? { dtx: true, stereo: false } : soundOf(published)];
    }));
  }

  async #show(track: TrackId): Promise<void> {
    const shown = await this.#options.control.trackPublished(track);
    if (!shown.ok) this.#options.log.debug('published track has gone', { track, code: shown.error.code });
  }

  async #unpublish(track: TrackId): Promise<void> {
    this.#published.delete(track);
    // First the call, then the media: viewers learn that it is gone before their consumers close.
    await this.#options.control.trackUnpublished(track);
    this.#options.endpoint.closeProducer(track);
  }

  /** We end a track by ourselves: the client must know. */
  async #withdraw(track: TrackId): Promise<void> {
    await this.#unpublish(track);
    this.#options.send({ case: 'trackUnpublished', value: new TrackUnpublishedResponse({ trackSid: track }) });
  }
}

function soundOf(track: Track): AcceptedSection {
  return { dtx: usesDtx(track), stereo: isStereo(track) };
}

function refusalReason({ code }: CallError): RequestResponse_Reason {
  return code === 'limitExceeded' ? RequestResponse_Reason.LIMIT_EXCEEDED : RequestResponse_Reason.NOT_ALLOWED;
}

