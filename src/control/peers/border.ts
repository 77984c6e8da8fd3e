// Owns the media of shared calls: what is wanted from over the border, what is sent there, and whether it arrives.
import type { TrackId } from '../../call/ids.ts';
import type { Logger } from '../../log/logger.ts';
import { asError, background } from '../../util/background.ts';
import type { LiveCall } from '../live-call.ts';
import type { Clock } from '../ports/clock.ts';
import type { MediaPipe } from '../ports/media-plane.ts';
import type { PeerMessage, PipeEnd } from '../ports/peer-links.ts';
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
    if (share.pipe === undefined) this.#openPipe(share);
  }

  /** Nobody of the neighbour is left in the call: what did not pass matters no more. */
  async parted(share: Share): Promise<void> {
    share.stalled = false;
    share.deaf = false;
    await this.#tellPath(share);
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
        share.postponed.delete(message.track);
        (await this.#pipe(share))?.stopSending(message.track);
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

  async #connect(share: Share, { address, port, srtp }: PipeEnd): Promise<void> {
    if (share.pipeConnected) return;
    const remote = { address, port, srtp };
    const pipe = await this.#pipe(share);
    if (pipe === undefined) {
      share.remote = remote;
      return;
    }
    await pipe.connect(remote);
    share.pipeConnected = true;
  }

  async #wanted(share: Share, { track, layer }: Message<'want'>): Promise<void> {
    const { shares } = this.#options;
    const isOurs = [...share.live.call.participants.values()].some(({ via, tracks }) => via === undefined && tracks.get(track)?.published === true);
    const pipe = isOurs ? await this.#pipe(share) : undefined;
    if (isOurs && pipe === undefined) {
      share.postponed.set(track, layer);
      return;
    }
    const sent = await pipe?.send(track, layer);
    if (sent !== undefined) {
      shares.send(share, { type: 'offer', room: share.room, track, ...sent });
      return;
    }
    shares.refuse(share.peer, 'track', { track });
    shares.send(share, { type: 'refused', room: share.room, track, code: 'unknown' });
  }

  async #offered(share: Share, { track, kind, rtp, paused }: Message<'offer'>): Promise<void> {
    if (!share.demand.has(track)) return;
    const pipe = await this.#pipe(share);
    // Without one it is asked for again when there is one.
    if (pipe === undefined) return;
    await pipe.receive(mirroredTrack(share.peer, track), { kind, rtp, paused });
    share.flowing.add(track);
  }

  /** undefined: none can be had now; it is tried again as long as the call is shared. */
  async #pipe(share: Share): Promise<MediaPipe | undefined> {
    if (share.pipe === undefined && share.pipeFault === undefined) this.#openPipe(share);
    return share.pipe?.catch(() => undefined);
  }

  #openPipe(share: Share): void {
    const opening = share.pipeClosed.then(() => share.live.media()).then((media) => media.pipe(share.peer));
    share.pipe = opening;
    const isStillWanted = (): boolean => share.pipe === opening;
    background(this.#options.log, 'open a pipe', opening.then(
      ({ local }) => (isStillWanted() ? this.#opened(share, local) : undefined),
      (error: unknown) => (isStillWanted() ? this.#notOpened(share, asError(error).message) : undefined),
    ));
  }

  async #opened(share: Share, local: PipeEnd): Promise<void> {
    const { shares, log } = this.#options;
    const isLate = share.pipeFault !== undefined;
    share.pipeFault = undefined;
    this.expect(share);
    shares.send(share, { type: 'media', room: share.room, ...local });
    if (!isLate) return;
    log.info('media pipe to a neighbour opened after all', { peer: share.peer, room: share.room });
    await share.inOrder(() => this.#catchUp(share));
  }

  /** What was said while there was no pipe. */
  async #catchUp(share: Share): Promise<void> {
    const { shares } = this.#options;
    const { remote } = share;
    const postponed = [...share.postponed];
    share.postponed.clear();
    if (remote !== undefined) await this.#connect(share, remote);
    for (const [track, layer] of postponed) await this.#wanted(share, { type: 'want', room: share.room, track, layer });
    for (const [track, layer] of share.demand) shares.send(share, { type: 'want', room: share.room, track, layer });
  }

  async #notOpened(share: Share, reason: string): Promise<void> {
    const isKnown = share.pipeFault !== undefined;
    share.pipe = undefined;
    share.pipeFault = reason;
    if (isKnown) return;
    this.#options.log.warn('no media pipe to a neighbour: tried again every second', { peer: share.peer, room: share.room, reason });
    await this.#setStalled(share, true);
  }

  async #watch(): Promise<void> {
    for (const share of this.#options.shares.all()) {
      if (share.isOn && share.pipe === undefined && share.pipeFault !== undefined) this.#openPipe(share);
      const pipe = share.isOn && share.pipeConnected ? await this.#pipe(share) : undefined;
      if (pipe === undefined || pipe.closed) continue;
      const { bytesReceived } = await pipe.traffic();
      await this.#look(share, bytesReceived);
    }
  }

  async #look(share: Share, bytes: number): Promise<void> {
    const { clock, log } = this.#options;
    const nowMs = clock.nowMs();
    if (!pictureFlows(share) || share.received === undefined || share.received.bytes !== bytes) share.received = { bytes, atMs: nowMs };
    const stalled = nowMs - share.received.atMs >= stallMs;
    if (stalled === share.stalled) return;
    if (stalled) log.warn('media of a neighbour do not arrive', { peer: share.peer, room: share.room });
    else log.info('media of a neighbour arrive again', { peer: share.peer, room: share.room });
    await this.#setStalled(share, stalled);
  }

  async #setStalled(share: Share, stalled: boolean): Promise<void> {
    share.stalled = stalled;
    this.#options.shares.send(share, { type: 'path', room: share.room, passes: !stalled });
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
