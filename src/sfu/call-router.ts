// Owns the part of one call that lives on one worker: its router, its endpoints, its tracks and its speaker detection.
import type { AudioLevelObserver, MediaKind, Router, RtpCapabilities } from 'mediasoup/types';
import type { CallId, ParticipantId, TrackId } from '../call/ids.ts';
import type { EndpointListener, MediaEndpoint, SpeakerLevel, TrackDemand } from '../control/ports/media-plane.ts';
import type { Logger } from '../log/logger.ts';
import { offeredCapabilities, routerCodecs } from './codecs.ts';
import { Endpoint } from './endpoint.ts';
import { ExpectedTracks } from './expected-tracks.ts';
import { Pipe, type PipeSettings } from './pipe.ts';
import { PublishedTracks, type Far } from './published-tracks.ts';
import { SpeakerDetector } from './speakers.ts';
import type { TrafficMeter } from './traffic.ts';
import { createTransportPair, type TransportSettings } from './transports.ts';
import type { MediaWorker } from './worker-pool.ts';

export interface CallRouterOptions {
  readonly callId: CallId;
  readonly worker: MediaWorker;
  readonly transports: TransportSettings;
  /** undefined: media never crosses to another bridge. */
  readonly pipes: PipeSettings | undefined;
  readonly meter: TrafficMeter;
  readonly listener: CallRouterListener;
  readonly log: Logger;
}

export interface CallRouterListener {
  /** Of the people on this worker, as CallMediaListener. */
  speakersChanged(): void;
  /** As CallMediaListener, with the side of the pipe through which the track comes. */
  demandChanged(far: Far, track: TrackId, demand: TrackDemand | undefined): void;
  /** A track of somebody on this worker has come or gone. */
  tracksChanged(): void;
  /** A track that goes on through that pipe has come, or come anew: it must be sent again. */
  arrived(far: Far, track: TrackId): void;
  /** The worker died. Called once, and not after close. */
  lost(): void;
}

const speechIntervalMs = 400;
// Well below what counts as speech, so that levels can fall calmly.
const observerThresholdDb = -55;
const observedSpeakers = 8;
/** Between workers of one bridge media stay on the machine. */
const betweenWorkers: PipeSettings = { listenIp: '127.0.0.1', announcedAddress: undefined };

export class CallRouter {
  readonly rtpCapabilities: RtpCapabilities;
  readonly worker: MediaWorker;
  /** How the call's other routers know it. */
  readonly far: Far;
  readonly #options: CallRouterOptions;
  readonly #router: Router;
  readonly #observer: AudioLevelObserver;
  readonly #tracks: PublishedTracks;
  readonly #expected: ExpectedTracks;
  readonly #pipes = new Map<string, Promise<Pipe>>();
  readonly #endpoints = new Set<Endpoint>();
  readonly #detector = new SpeakerDetector();
  #speakers: readonly SpeakerLevel[] = [];
  #fading: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(options: CallRouterOptions, router: Router, observer: AudioLevelObserver) {
    const { worker, listener } = options;
    this.#options = options;
    this.#router = router;
    this.#observer = observer;
    this.worker = worker;
    this.far = { kind: 'worker', name: `worker ${worker.index}` };
    this.#tracks = new PublishedTracks(() => listener.tracksChanged());
    this.#expected = new ExpectedTracks((far, track, demand) => listener.demandChanged(far, track, demand));
    this.rtpCapabilities = offeredCapabilities(router.rtpCapabilities);
    worker.routers += 1;
    router.on('workerclose', () => {
      if (this.#closed) return;
      this.close();
      listener.lost();
    });
    observer.on('volumes', (volumes) => {
      clearInterval(this.#fading);
      this.#hear(volumes.flatMap(({ producer, volume }) => {
        const participant = this.#tracks.ownerOf(producer.id);
        return participant === undefined ? [] : [{ participant, volumeDb: volume }];
      }));
    });
    observer.on('silence', () => this.#fade());
  }

  /** @throws when the worker does not answer any more */
  static async create(options: CallRouterOptions): Promise<CallRouter> {
    const router = await options.worker.worker.createRouter({ mediaCodecs: routerCodecs });
    try {
      const observer = await router.createAudioLevelObserver({ interval: speechIntervalMs, threshold: observerThresholdDb, maxEntries: observedSpeakers });
      return new CallRouter(options, router, observer);
    } catch (error) {
      router.close();
      throw error;
    }
  }

  get endpoints(): number {
    return this.#endpoints.size;
  }

  /** Those of the people here, loudest first. */
  get speakers(): readonly SpeakerLevel[] {
    return this.#speakers;
  }

  get closed(): boolean {
    return this.#closed;
  }

  async endpoint(id: ParticipantId, listener: EndpointListener): Promise<MediaEndpoint> {
    const { worker, transports: settings, meter, log } = this.#options;
    const transports = await createTransportPair(this.#router, worker.server, settings);
    if (this.#closed) {
      transports.publisher.close();
      transports.subscriber.close();
      throw new Error(`the media of call ${this.#options.callId} closed while ${id} connected`);
    }
    const call = { router: this.#router, capabilities: this.rtpCapabilities, tracks: this.#tracks, expected: this.#expected, observer: this.#observer, meter };
    const endpoint = new Endpoint({ id, transports, call, listener, closed: () => this.#forget(endpoint, id), log: log.child({ participant: id }) });
    this.#endpoints.add(endpoint);
    return endpoint;
  }

  /** Tracks of people on this worker. */
  ownTracks(): ReadonlyMap<TrackId, MediaKind> {
    return this.#tracks.ofPeople();
  }

  /** The tracks that can come through the pipe to that side, instead of those told before. What is not among them any more is closed. */
  expect(far: Far, tracks: ReadonlyMap<TrackId, MediaKind>): void {
    if (this.#closed) return;
    const { over, added } = this.#expected.replace(far, tracks);
    for (const track of over) {
      this.#tracks.get(track)?.producer.close();
      this.#tracks.remove(track);
    }
    for (const endpoint of this.#endpoints) for (const track of added) endpoint.trackAvailable(track);
  }

  /** One for each side until it is closed. @throws as CallMedia.pipe */
  async pipe(far: Far): Promise<Pipe> {
    const known = this.#pipes.get(far.name);
    if (known !== undefined) return await known;
    const forget = (): void => {
      if (this.#pipes.get(far.name) === opening) this.#pipes.delete(far.name);
    };
    const opening = this.#openPipe(far, forget);
    this.#pipes.set(far.name, opening);
    try {
      return await opening;
    } catch (error) {
      forget();
      throw error;
    }
  }

  /** Brings the traffic meter up to date. */
  async readTraffic(): Promise<void> {
    const pipes = [...this.#pipes.values()].map((opening) => opening.then((pipe) => pipe.traffic(), () => undefined));
    await Promise.all([...this.#endpoints].flatMap<Promise<unknown>>((endpoint) => [endpoint.readStats('publisher'), endpoint.readStats('subscriber')]).concat(pipes));
  }

  /** Post: all endpoints and pipes closed; idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#fading);
    this.#expected.close();
    for (const endpoint of [...this.#endpoints]) endpoint.close();
    this.#router.close();
    this.worker.routers -= 1;
  }

  async #openPipe(far: Far, closed: () => void): Promise<Pipe> {
    const { pipes, callId, meter, listener, log } = this.#options;
    const settings = far.kind === 'worker' ? betweenWorkers : pipes;
    if (settings === undefined) throw new Error('media cannot cross to another bridge: no address and ports for it are configured');
    if (this.#closed) throw new Error(`the media of call ${callId} is closed`);
    const pipe = await Pipe.create({
      far,
      settings,
      router: this.#router,
      tracks: this.#tracks,
      expected: this.#expected,
      meter: far.kind === 'worker' ? undefined : meter,
      arrived: (track) => listener.arrived(far, track),
      closed,
      log: log.child({ peer: far.name }),
    });
    if (this.#isClosed()) {
      pipe.close();
      throw new Error(`the media of call ${callId} closed while its pipe to ${far.name} opened`);
    }
    if (far.kind === 'neighbour') this.#expected.retell(far);
    return pipe;
  }

  // Read through a method: the compiler would remember what it saw before the wait.
  #isClosed(): boolean {
    return this.#closed;
  }

  #forget(endpoint: Endpoint, id: ParticipantId): void {
    this.#endpoints.delete(endpoint);
    this.#tell(this.#detector.forget(id));
  }

  #hear(heard: Parameters<SpeakerDetector['hear']>[0]): void {
    this.#tell(this.#detector.hear(heard));
  }

  /** mediasoup tells silence once; levels fall over the next intervals. */
  #fade(): void {
    clearInterval(this.#fading);
    this.#hear([]);
    if (this.#detector.quiet) return;
    this.#fading = setInterval(() => {
      this.#hear([]);
      if (this.#detector.quiet) clearInterval(this.#fading);
    }, speechIntervalMs);
  }

  #tell(speakers: readonly SpeakerLevel[] | undefined): void {
    if (speakers === undefined || this.#closed) return;
    this.#speakers = speakers;
    this.#options.listener.speakersChanged();
  }
}
