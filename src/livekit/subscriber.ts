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
  /** Of a bridge that is not ours. */
  readonly far: boolean;
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
  /** Cannot be received, or not any more: not asked for again as long as its publisher shows it. */
  readonly #gone = new Set<TrackId>();
  /** Asked for, on their way from another bridge or held there until somebody looks. */
  readonly #waiting = new Set<TrackId>();
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
    for (const track of publishedTracks(participant)) this.#visible.set(track.id, { participant: participant.id, far: participant.via !== undefined, track });
    this.#forgetGone();
    this.#options.changed();
  }

  lose(participant: ParticipantId): void {
    this.#forgetTracksOf(participant);
    this.#forgetGone();
    this.#options.changed();
  }

  consumerClosed(track: TrackId): void {
    // What comes back keeps what the viewer said of it.
    const wish = this.#options.endpoint.waitsFor(track) ? this.#wishes.get(track) : undefined;
    if (!this.#options.endpoint.waitsFor(track) && this.#visible.has(track)) this.#gone.add(track);
    this.#drop(track);
    if (wish !== undefined) this.#wishes.set(track, wish);
    this.#offerDue = true;
    this.#options.changed();
  }

  /** What it waits for has come, or what it could not have before can be had. */
  trackAvailable(track: TrackId): void {
    const waited = this.#waiting.delete(track);
    if (this.#gone.delete(track) || waited) this.#options.changed();
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
    for (const track of [...this.#waiting]) {
      if (wantedIds.has(track)) continue;
      endpoint.closeConsumer(track);
      this.#waiting.delete(track);
    }
    const missing = wanted.filter(([track]) => !this.#received.has(track) && !this.#gone.has(track) && !this.#waiting.has(track));
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
    const { endpoint } = this.#options;
    const mid = this.#sections.claimMid();
    this.#waiting.add(track);
    const description = await endpoint.consume(track, mid);
    if (description === undefined) {
      // It came while the answer was on its way: there is a new attempt.
      if (!this.#waiting.has(track)) return;
      if (endpoint.waitsFor(track)) {
        await this.#apply(track);
        return;
      }
      this.#waiting.delete(track);
      this.#gone.add(track);
      // A neighbour's people may be seen before their media is.
      if (this.#visible.get(track)?.far === false) this.#tellNotFound(track);
      return;
    }
    this.#waiting.delete(track);
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
    if (received?.running !== true && !this.#waiting.has(track)) return;
    const wish = this.#wishes.get(track);
    if (wish?.disabled === true) {
      await endpoint.setConsumerPaused(track, true);
      return;
    }
    const layers = this.#visible.get(track)?.track.layers ?? [];
    const spatialLayers = received?.description.spatialLayers ?? layers.length;
    if (wish !== undefined && spatialLayers > 1) await endpoint.setPreferredLayers(track, chooseLayer(wish, layers, spatialLayers));
    if (wish !== undefined && wish.priority > 0) await endpoint.setPriority(track, wish.priority);
    await endpoint.setConsumerPaused(track, false);
  }

  #forgetTracksOf(participant: ParticipantId): void {
    for (const [track, visible] of this.#visible) if (visible.participant === participant) this.#visible.delete(track);
  }

  #forgetGone(): void {
    for (const track of this.#gone) if (!this.#visible.has(track)) this.#gone.delete(track);
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
