// Owns one call's router, its endpoints and its speaker detection.
import type { AudioLevelObserver, MediaKind, Router, RtpCapabilities } from 'mediasoup/types';
import type { CallId, ParticipantId, ServerName, TrackId } from '../call/ids.ts';
import type { CallMedia, CallMediaListener, EndpointListener, MediaEndpoint, MediaPipe, SpeakerLevel } from '../control/ports/media-plane.ts';
import type { Logger } from '../log/logger.ts';
import { offeredCapabilities, routerCodecs } from './codecs.ts';
import { Endpoint } from './endpoint.ts';
import { ExpectedTracks } from './expected-tracks.ts';
import { Pipe, type PipeSettings } from './pipe.ts';
import { PublishedTracks } from './published-tracks.ts';
import { SpeakerDetector } from './speakers.ts';
import type { TrafficMeter } from './traffic.ts';
import { createTransportPair, type TransportSettings } from './transports.ts';
import type { MediaWorker } from './worker-pool.ts';

export interface CallMediaOptions {
  readonly callId: CallId;
  readonly worker: MediaWorker;
  readonly transports: TransportSettings;
  /** undefined: media never crosses to another bridge. */
  readonly pipes: PipeSettings | undefined;
  readonly meter: TrafficMeter;
  readonly listener: CallMediaListener;
  /** Called once, when it is closed for whatever reason. */
  readonly closed: () => void;
  readonly log: Logger;
}

const speechIntervalMs = 400;
// Well below what counts as speech, so that levels can fall calmly.
const observerThresholdDb = -55;
const observedSpeakers = 8;

export class RouterCallMedia implements CallMedia {
  readonly rtpCapabilities: RtpCapabilities;
  readonly #options: CallMediaOptions;
  readonly #router: Router;
  readonly #observer: AudioLevelObserver;
  readonly #tracks = new PublishedTracks();
  readonly #expected: ExpectedTracks;
  readonly #pipes = new Map<ServerName, Promise<Pipe>>();
  readonly #endpoints = new Set<Endpoint>();
  readonly #detector = new SpeakerDetector();
  #fading: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(options: CallMediaOptions, router: Router, observer: AudioLevelObserver) {
    this.#options = options;
    this.#router = router;
    this.#observer = observer;
    this.#expected = new ExpectedTracks((track, demand) => options.listener.demandChanged(track, demand));
    this.rtpCapabilities = offeredCapabilities(router.rtpCapabilities);
    router.on('workerclose', () => {
      if (this.#closed) return;
      this.close();
      options.listener.mediaLost();
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

  static async create(options: CallMediaOptions): Promise<RouterCallMedia> {
    const router = await options.worker.worker.createRouter({ mediaCodecs: routerCodecs });
    try {
      const observer = await router.createAudioLevelObserver({ interval: speechIntervalMs, threshold: observerThresholdDb, maxEntries: observedSpeakers });
      return new RouterCallMedia(options, router, observer);
    } catch (error) {
      router.close();
      throw error;
    }
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

  expect(peer: ServerName, tracks: ReadonlyMap<TrackId, MediaKind>): void {
    if (this.#closed) return;
    const free = new Map([...tracks].filter(([track]) => this.#tracks.get(track)?.owner === undefined));
    const { over, added } = this.#expected.replace(peer, free);
    for (const track of over) {
      this.#tracks.get(track)?.producer.close();
      this.#tracks.remove(track);
    }
    for (const endpoint of this.#endpoints) for (const track of added) endpoint.trackAvailable(track);
  }

  async pipe(peer: ServerName): Promise<MediaPipe> {
    const known = this.#pipes.get(peer);
    if (known !== undefined) return await known;
    const forget = (): void => {
      if (this.#pipes.get(peer) === opening) this.#pipes.delete(peer);
    };
    const opening = this.#openPipe(peer, forget);
    this.#pipes.set(peer, opening);
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

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#fading);
    this.#expected.close();
    for (const endpoint of [...this.#endpoints]) endpoint.close();
    this.#router.close();
    this.#options.closed();
  }

  async #openPipe(peer: ServerName, closed: () => void): Promise<Pipe> {
    const { pipes: settings, callId, meter, log } = this.#options;
    if (settings === undefined) throw new Error('media cannot cross to another bridge: no address and ports for it are configured');
    if (this.#closed) throw new Error(`the media of call ${callId} is closed`);
    const pipe = await Pipe.create({ peer, settings, router: this.#router, tracks: this.#tracks, expected: this.#expected, meter, closed, log: log.child({ peer }) });
    if (this.#isClosed()) {
      pipe.close();
      throw new Error(`the media of call ${callId} closed while its pipe to ${peer} opened`);
    }
    this.#expected.retell(peer);
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
    if (speakers !== undefined && !this.#closed) this.#options.listener.speakersChanged(speakers);
  }
}
