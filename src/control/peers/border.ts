// Owns the media of shared calls: what is wanted from over the border, what is sent there, and whether it arrives.
import type { TrackId } from '../../call/ids.ts';
import type { Logger } from '../../log/logger.ts';
import { background } from '../../util/background.ts';
import type { LiveCall } from '../live-call.ts';
import type { Clock } from '../ports/clock.ts';
import type { MediaPipe } from '../ports/media-plane.ts';
import type { PeerMessage } from '../ports/peer-links.ts';
import type { ShareBook } from './share-book.ts';
import type { Share } from './share.ts';
import { mirroredTrack, originalTrack } from './translate.ts';

export interface BorderOptions {
  readonly shares: ShareBook;
  readonly clock: Clock;
  readonly log: Logger;
}

type Message<Type extends PeerMessage['type']> = Extract<PeerMessage, { type: Type }>;

/** docs/protocol/cascade.md §2.6. */
const withdrawalMs = 10_000;
const lessMs = 2000;
const lookEveryMs = 1000;
/** Without a byte of a picture that should come: longer than its sender's reports are apart. */
const stallMs = 2000;

export class Border {
  readonly #options: BorderOptions;

  constructor(options: BorderOptions) {
    this.#options = options;
  }

  /** Begins to look after the paths. The returned function ends it. */
  start(): () => void {
    let stopped = false;
    let cancel = (): void => undefined;
    const again = (): void => {
      if (stopped) return;
      cancel = this.#options.clock.after(lookEveryMs, () => {
        background(this.#options.log, 'watch the paths of media', this.#watch().finally(again));
      });
    };
    again();
    return () => {
      stopped = true;
      cancel();
    };
  }

  demandChanged(live: LiveCall, track: TrackId, demand: { readonly layer: number | undefined } | undefined): void {
    for (const share of this.#options.shares.of(live)) {
      const original = originalTrack(share.peer, track);
      if (original === undefined) continue;
      share.reductions.get(original)?.();
      share.reductions.delete(original);
      if (demand === undefined) {
        if (share.demand.has(original)) this.#later(share, original, withdrawalMs, () => this.#unwant(share, track, original));
      } else if (demand.layer !== undefined && demand.layer < (share.demand.get(original) ?? demand.layer)) {
        // Viewers get the smaller picture first: what they had until then must not stop under them.
        this.#later(share, original, lessMs, () => this.#want(share, original, demand.layer));
      } else {
        this.#want(share, original, demand.layer);
      }
    }
  }

  /** Both sides have said `call`: opens our end of the pipe and says again what is watched here. */
  open(share: Share): void {
    for (const [track, layer] of share.demand) this.#options.shares.send(share, { type: 'want', room: share.room, track, layer });
    const opening = this.#pipe(share);
    background(
      this.#options.log,
      'open a pipe',
      opening.then(({ local }) => {
        // The link went and came back meanwhile.
        if (share.pipe !== opening) return;
        this.expect(share);
        this.#options.shares.send(share, { type: 'media', room: share.room, ...local });
      }),
    );
  }

  /** The media plane knows which tracks of this neighbour there are to want. */
  expect(share: Share): void {
    if (share.live.call.endedAtMs !== undefined) return;
    const tracks = [...share.live.call.participants.values()].filter(({ via }) => via === share.peer).flatMap((participant) => [...participant.tracks.values()]);
    background(
      this.#options.log,
      'expect tracks',
      share.live.media().then((media) => {
        media.expect(share.peer, new Map(tracks.map(({ id, kind }) => [id, kind])));
      }),
    );
  }

  async received(share: Share, message: Message<'media' | 'want' | 'unwant' | 'offer' | 'refused' | 'path'>): Promise<void> {
    switch (message.type) {
      case 'media':
        return this.#connect(share, message);
      case 'want':
        return this.#wanted(share, message);
      case 'unwant':
        (await share.pipe)?.stopSending(message.track);
        return;
      case 'offer':
        return this.#offered(share, message);
      case 'refused':
        this.#options.log.info('neighbour refused a track', { peer: share.peer, track: message.track, code: message.code });
        share.flowing.delete(message.track);
        return;
      case 'path':
        share.deaf = !message.passes;
        return this.#tellPath(share);
      default:
        message satisfies never;
    }
  }

  #want(share: Share, track: TrackId, layer: number | undefined): void {
    share.demand.set(track, layer);
    if (share.isOn) this.#options.shares.send(share, { type: 'want', room: share.room, track, layer });
  }

  #unwant(share: Share, mirrored: TrackId, track: TrackId): void {
    const { shares, log } = this.#options;
    share.demand.delete(track);
    share.flowing.delete(track);
    shares.send(share, { type: 'unwant', room: share.room, track });
    background(log, 'stop receiving', Promise.resolve(share.pipe).then((pipe) => pipe?.stopReceiving(mirrored)));
  }

  #later(share: Share, track: TrackId, delayMs: number, reduce: () => void): void {
    share.reductions.set(track, this.#options.clock.after(delayMs, () => {
      share.reductions.delete(track);
      reduce();
    }));
  }

  async #connect(share: Share, { address, port, srtp }: Message<'media'>): Promise<void> {
    if (share.pipeConnected) return;
    await (await this.#pipe(share)).connect({ address, port, srtp });
    share.pipeConnected = true;
  }

  async #wanted(share: Share, { track, layer }: Message<'want'>): Promise<void> {
    const { shares } = this.#options;
    const isOurs = [...share.live.call.participants.values()].some(({ via, tracks }) => via === undefined && tracks.get(track)?.published === true);
    const sent = isOurs ? await (await this.#pipe(share)).send(track, layer) : undefined;
    if (sent !== undefined) {
      shares.send(share, { type: 'offer', room: share.room, track, ...sent });
      return;
    }
    shares.refuse(share.peer, 'track', { track });
    shares.send(share, { type: 'refused', room: share.room, track, code: 'unknown' });
  }

  async #offered(share: Share, { track, kind, rtp, paused }: Message<'offer'>): Promise<void> {
    if (!share.demand.has(track)) return;
    await (await this.#pipe(share)).receive(mirroredTrack(share.peer, track), { kind, rtp, paused });
    share.flowing.add(track);
  }

  #pipe(share: Share): Promise<MediaPipe> {
    share.pipe ??= share.pipeClosed.then(() => share.live.media()).then((media) => media.pipe(share.peer));
    return share.pipe;
  }

  async #watch(): Promise<void> {
    for (const share of this.#options.shares.all()) {
      const pipe = share.isOn && share.pipeConnected ? await share.pipe : undefined;
      if (pipe === undefined || pipe.closed) continue;
      const { bytesReceived } = await pipe.stats();
      await this.#look(share, bytesReceived);
    }
  }

  async #look(share: Share, bytes: number): Promise<void> {
    const { clock, log, shares } = this.#options;
    const nowMs = clock.nowMs();
    if (!pictureFlows(share) || share.received === undefined || share.received.bytes !== bytes) share.received = { bytes, atMs: nowMs };
    const stalled = nowMs - share.received.atMs >= stallMs;
    if (stalled === share.stalled) return;
    share.stalled = stalled;
    if (stalled) log.warn('media of a neighbour do not arrive', { peer: share.peer, room: share.room });
    else log.info('media of a neighbour arrive again', { peer: share.peer, room: share.room });
    shares.send(share, { type: 'path', room: share.room, passes: !stalled });
    await this.#tellPath(share);
  }

  async #tellPath(share: Share): Promise<void> {
    await share.live.apply({ type: 'peerPath', peer: share.peer, passes: !share.stalled && !share.deaf });
  }
}

/** The neighbour sends us a picture that is not switched off: bytes must come all the time. */
function pictureFlows({ live, peer, flowing }: Share): boolean {
  return [...live.call.participants.values()].some(
    ({ via, tracks }) =>
      via === peer &&
      [...tracks.values()].some(({ id, kind, muted }) => {
        const original = originalTrack(peer, id);
        return kind === 'video' && !muted && original !== undefined && flowing.has(original);
      }),
  );
}
