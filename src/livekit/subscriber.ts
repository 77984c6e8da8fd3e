// Owns what one session receives: which tracks of others it wants, the consumers, and the offers that carry them.
import { SessionDescription, SignalTarget, StreamState, StreamStateInfo, StreamStateUpdate, SubscriptionError, SubscriptionResponse, TrickleRequest } from '@livekit/protocol';
import type { ParticipantId, TrackId } from '../call/ids.ts';
import { publishedTracks, type Participant } from '../call/participant.ts';
import type { Track } from '../call/track.ts';
import type { Clock } from '../control/ports/clock.ts';
import type { ConsumerDescription, MediaEndpoint } from '../control/ports/media-plane.ts';
import { chooseLayer, type ViewerWish } from './layer-choice.ts';
import { candidateInit } from './sdp-text.ts';
import type { Send } from './signal-socket.ts';
import { readSubscriberAnswer, SubscriberSections } from './subscriber-sdp.ts';

export interface SubscriberOptions {
  readonly endpoint: MediaEndpoint;
  readonly maySubscribe: boolean;
  readonly autoSubscribe: boolean;
  readonly send: Send;
  readonly clock: Clock;
  /** Asks for a call of `reconcile` as soon as the session's work allows it. */
  readonly changed: () => void;
}

interface Visible {
  readonly participant: ParticipantId;
  readonly track: Track;
}

interface Received {
  readonly description: ConsumerDescription;
  /** The offer that showed it to the client. */
  offerId: number | undefined;
  running: boolean;
}

/** Settings may come before their track; more than this is not a viewer. */
const maxWishes = 2_000;
/** Bandwidth hiccups shorter than this are not told. */
const starvedAfterMs = 1_500;

/** Every async method must run after the one before it has ended: the session's inbox sees to that. */
export class Subscriber {
  readonly #options: SubscriberOptions;
  readonly #sections = new SubscriberSections();
  readonly #visible = new Map<TrackId, Visible>();
  readonly #received = new Map<TrackId, Received>();
  readonly #wishes = new Map<TrackId, ViewerWish>();
  readonly #chosen = new Map<TrackId, boolean>();
  /** Cannot be received, or not any more; a track id never comes back. */
  readonly #gone = new Set<TrackId>();
  readonly #starving = new Map<TrackId, () => void>();
  readonly #toldPaused = new Set<TrackId>();
  #offerId = 0;
  #awaited: number | undefined;
  #offerDue = false;
  #connected = false;

  constructor(options: SubscriberOptions) {
    this.#options = options;
  }

  /** The first offer has no media yet: ICE and DTLS come up with it even when nobody else is there. */
  begin(): void {
    const { endpoint, send } = this.#options;
    this.#offer();
    for (const candidate of endpoint.subscriber.iceCandidates) send({ case: 'trickle', value: new TrickleRequest({ target: SignalTarget.SUBSCRIBER, candidateInit: candidateInit(candidate, '0') }) });
  }

  /** Another participant as it is now. */
  see(participant: Participant): void {
    this.#forgetTracksOf(participant.id);
    for (const track of publishedTracks(participant)) this.#visible.set(track.id, { participant: participant.id, track });
    this.#options.changed();
  }

  lose(participant: ParticipantId): void {
    this.#forgetTracksOf(participant);
    this.#options.changed();
  }

  consumerClosed(track: TrackId): void {
    this.#gone.add(track);
    this.#drop(track);
    this.#offerDue = true;
    this.#options.changed();
  }

  layerChanged(track: TrackId, spatialLayer: number | undefined): void {
    this.#starving.get(track)?.();
    this.#starving.delete(track);
    if (spatialLayer !== undefined) {
      if (this.#toldPaused.delete(track)) this.#tellState(track, StreamState.ACTIVE);
      return;
    }
    this.#starving.set(track, this.#options.clock.after(starvedAfterMs, () => {
      this.#starving.delete(track);
      if (!this.#received.has(track) || this.#wishes.get(track)?.disabled === true || this.#toldPaused.has(track)) return;
      this.#toldPaused.add(track);
      this.#tellState(track, StreamState.PAUSED);
    }));
  }

  /** Brings consumers and sections in line with what there is and what the client wants. */
  async reconcile(): Promise<void> {
    const { endpoint } = this.#options;
    const wanted = [...this.#visible].filter(([track]) => this.#wants(track));
    const wantedIds = new Set(wanted.map(([track]) => track));
    for (const track of [...this.#received.keys()]) {
      if (wantedIds.has(track)) continue;
      endpoint.closeConsumer(track);
      this.#drop(track);
      this.#offerDue = true;
    }
    const missing = wanted.filter(([track]) => !this.#received.has(track) && !this.#gone.has(track));
    await Promise.all(missing.map(([track, { participant }]) => this.#consume(track, participant)));
    if (this.#offerDue) this.#offer();
  }

  /** Answers to older offers are ignored. @throws SdpError */
  async answered({ sdp, id }: SessionDescription): Promise<void> {
    const { endpoint } = this.#options;
    if (this.#awaited === undefined || (id !== 0 && id !== this.#awaited)) return;
    if (!this.#connected) {
      this.#connected = true;
      await endpoint.connect('subscriber', readSubscriberAnswer(sdp));
    }
    const offerId = this.#awaited;
    this.#awaited = undefined;
    for (const [track, received] of this.#received) {
      if (received.running || received.offerId === undefined || received.offerId > offerId) continue;
      received.running = true;
      await this.#apply(track);
    }
    if (this.#offerDue) this.#offer();
  }

  async wish(tracks: readonly TrackId[], wish: ViewerWish): Promise<void> {
    for (const track of tracks) {
      if (!this.#wishes.has(track) && this.#wishes.size >= maxWishes) return;
      this.#wishes.set(track, wish);
      await this.#apply(track);
    }
  }

  async subscribe(tracks: readonly TrackId[], subscribe: boolean): Promise<void> {
    for (const track of tracks) {
      if (!this.#chosen.has(track) && this.#chosen.size >= maxWishes) break;
      this.#chosen.set(track, subscribe);
      if (subscribe && !this.#visible.has(track)) this.#tellNotFound(track);
    }
    await this.reconcile();
  }

  close(): void {
    for (const cancel of this.#starving.values()) cancel();
    this.#starving.clear();
  }

  #wants(track: TrackId): boolean {
    return this.#options.maySubscribe && (this.#chosen.get(track) ?? this.#options.autoSubscribe);
  }

  async #consume(track: TrackId, participant: ParticipantId): Promise<void> {
    const mid = this.#sections.claimMid();
    const description = await this.#options.endpoint.consume(track, mid);
    if (description === undefined) {
      this.#gone.add(track);
      if (this.#visible.has(track)) this.#tellNotFound(track);
      return;
    }
    this.#received.set(track, { description, offerId: undefined, running: false });
    this.#sections.add({ mid, kind: description.kind, participant, track, rtpParameters: description.rtpParameters });
    this.#offerDue = true;
  }

  /** One offer at a time: the next one waits for the answer. */
  #offer(): void {
    if (this.#awaited !== undefined) {
      this.#offerDue = true;
      return;
    }
    this.#offerDue = false;
    this.#offerId += 1;
    this.#awaited = this.#offerId;
    for (const received of this.#received.values()) received.offerId ??= this.#offerId;
    const sdp = this.#sections.write(this.#options.endpoint.subscriber);
    this.#options.send({ case: 'offer', value: new SessionDescription({ type: 'offer', sdp, id: this.#offerId, midToTrackId: this.#sections.midToTrack() }) });
  }

  /** What the viewer said of this track, or the best there is. Nothing flows before the client has answered the offer. */
  async #apply(track: TrackId): Promise<void> {
    const { endpoint } = this.#options;
    const received = this.#received.get(track);
    if (received?.running !== true) return;
    const wish = this.#wishes.get(track);
    if (wish?.disabled === true) {
      await endpoint.setConsumerPaused(track, true);
      return;
    }
    const { spatialLayers } = received.description;
    if (wish !== undefined && spatialLayers > 1) await endpoint.setPreferredLayers(track, chooseLayer(wish, this.#visible.get(track)?.track.layers ?? [], spatialLayers));
    if (wish !== undefined && wish.priority > 0) await endpoint.setPriority(track, wish.priority);
    await endpoint.setConsumerPaused(track, false);
  }

  #forgetTracksOf(participant: ParticipantId): void {
    for (const [track, visible] of this.#visible) if (visible.participant === participant) this.#visible.delete(track);
  }

  #drop(track: TrackId): void {
    this.#received.delete(track);
    this.#sections.close(track);
    this.#wishes.delete(track);
    this.#toldPaused.delete(track);
    this.#starving.get(track)?.();
    this.#starving.delete(track);
  }

  #tellState(track: TrackId, state: StreamState): void {
    const participantSid = this.#visible.get(track)?.participant;
    if (participantSid === undefined) return;
    this.#options.send({ case: 'streamStateUpdate', value: new StreamStateUpdate({ streamStates: [new StreamStateInfo({ participantSid, trackSid: track, state })] }) });
  }

  #tellNotFound(track: TrackId): void {
    this.#options.send({ case: 'subscriptionResponse', value: new SubscriptionResponse({ trackSid: track, err: SubscriptionError.SE_TRACK_NOTFOUND }) });
  }
}
