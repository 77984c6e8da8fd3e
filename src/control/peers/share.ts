// Owns the state of one call shared with one neighbour: what was said on this link, the pipe, the order of the work.
import type { RoomId, ServerName, TrackId } from '../../call/ids.ts';
import type { LiveCall } from '../live-call.ts';
import type { MediaPipe } from '../ports/media-plane.ts';
import type { PipeEnd } from '../ports/peer-links.ts';

export class Share {
  readonly peer: ServerName;
  readonly room: RoomId;
  readonly live: LiveCall;
  /** We have said `call` on this link. */
  offered = false;
  /** They have said `call` on this link, and we have taken it. */
  accepted = false;
  /** When they last said that they will not share it: nobody of theirs is in the room as they see it. */
  refusedAtMs: number | undefined;
  pipe: Promise<MediaPipe> | undefined;
  /** The pipe of the link before is gone: until then a new one would be the old. */
  pipeClosed: Promise<void> = Promise.resolve();
  pipeConnected = false;
  /** Why there is no pipe, for the operator. */
  pipeFault: string | undefined;
  /** What came while there was none: the neighbour's end, and what it wants. */
  remote: PipeEnd | undefined;
  readonly postponed = new Map<TrackId, number | undefined>();
  /** What people here watch of the neighbour's tracks (by its ids), up to which layer. Outlives a link. */
  readonly demand = new Map<TrackId, number | undefined>();
  /** What is wanted less, or not any more, is told a while later. Calls off. */
  readonly reductions = new Map<TrackId, () => void>();
  /** Tracks that the neighbour has begun to send. */
  readonly flowing = new Set<TrackId>();
  /** Bytes received at the last look, and since when there were no more. */
  received: { readonly bytes: number; readonly atMs: number } | undefined;
  /** The neighbour says that it receives nothing of us. */
  deaf = false;
  stalled = false;
  /** The neighbour is gone; its people leave when this runs. */
  cancelDeparture: (() => void) | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(peer: ServerName, live: LiveCall) {
    this.peer = peer;
    this.live = live;
    this.room = live.call.room;
  }

  /** Both sides have said `call`: people and media may be told. */
  get isOn(): boolean {
    return this.offered && this.accepted;
  }

  /** One thing after another, in the order of the frames. @returns when this one is done */
  inOrder(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => undefined);
    return done;
  }

  /** Neither the neighbour's departure nor the end of a demand is waited for any more. */
  stopWaiting(): void {
    this.cancelDeparture?.();
    for (const cancel of this.reductions.values()) cancel();
    this.reductions.clear();
  }

  /** Nothing of the link counts any more; the people stay for now. */
  reset(): void {
    this.offered = false;
    this.accepted = false;
    this.pipeConnected = false;
    this.pipeFault = undefined;
    this.remote = undefined;
    this.postponed.clear();
    this.flowing.clear();
    this.received = undefined;
    const { pipe } = this;
    this.pipe = undefined;
    if (pipe === undefined) return;
    this.pipeClosed = pipe.then((opened) => {
      opened.close();
    }, () => undefined);
  }
}
