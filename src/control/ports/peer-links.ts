// Port: links to other organisations' bridges (docs/protocol/cascade.md). Implemented by cascade/.
import type { CloseReason } from '../../call/close-reason.ts';
import type { ParticipantId, RoomId, ServerName, TrackId, UserId } from '../../call/ids.ts';
import type { Track } from '../../call/track.ts';
import type { RtpParameters } from 'mediasoup/types';

export interface PeerLinks {
  /** The neighbours to which a link is wanted from now on; others are closed when they have nothing to carry. Idempotent. */
  want(servers: ReadonlySet<ServerName>): void;
  /** False: there is no link; nothing is kept for later. A full queue closes the link (slow). */
  send(server: ServerName, message: PeerMessage): boolean;
  /** Servers that the operator does not list may be neighbours too. */
  readonly acceptsAny: boolean;
  /** Those that the operator lists, and where any may be one those that have introduced themselves or were found, while calls are shared. */
  neighbours(): readonly ServerName[];
  isNeighbour(server: ServerName): boolean;
  /** There may be bridges worth a link: where any may be a neighbour, those not asked lately are asked, a few at a time. Elsewhere nothing. Idempotent. */
  seek(servers: Iterable<ServerName>): void;
  /** Its bridge is being looked for right now. */
  isSought(server: ServerName): boolean;
  /** Known neighbours and how their links are. */
  status(): readonly PeerStatus[];
  /** Introductions refused that count for no neighbour, by code, since the start. */
  strangers(): Readonly<Record<string, number>>;
}

export interface PeerStatus {
  readonly server: ServerName;
  readonly state: 'up' | 'opening' | 'idle' | 'down';
  /** Round trip of the last ping. */
  readonly roundTripMs: number | undefined;
  /** Why it is down, in words. */
  readonly reason: string | undefined;
  readonly queuedBytes: number;
  /** What its links were closed for, and what of its frames was not taken, by code, since the start. */
  readonly refusals?: Readonly<Record<string, number>>;
}

/** Told in the order of the frames; every method returns at once and never throws. */
export interface PeerListener {
  /** Versions agreed, both hellos exchanged: nothing of an older link counts any more. */
  linkUp(server: ServerName): void;
  linkDown(server: ServerName, reason: string): void;
  received(server: ServerName, message: PeerMessage): void;
  /** Its bridge was sought, and there is none that can be reached: nobody has to wait for it. */
  notFound(server: ServerName): void;
}

/** Somebody connected to the sending bridge, without anything that tells where or with what. */
export interface PeerPerson {
  readonly id: ParticipantId;
  readonly user: UserId;
  /** Tells the sessions of one person apart; the same for the same device, also after a restart. */
  readonly device: number;
  readonly name: string;
  readonly joinedAtMs: number;
  readonly active: boolean;
  /** Their connection broke with the sending bridge, which keeps their place for a while. */
  readonly awaited?: boolean | undefined;
  readonly metadata: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly tracks: readonly Omit<Track, 'clientTrackId' | 'published'>[];
}

/** Where one side of a pipe sends from and listens, and the key it encrypts with. */
export interface PipeEnd {
  readonly address: string;
  readonly port: number;
  readonly srtp: { readonly suite: 'AEAD_AES_256_GCM'; readonly key: string };
}

/** Each names its room; the shapes on the wire are in docs/protocol/cascade.md. */
export type PeerMessage =
  /** `page`: where the sender's own people find this call; undefined: nowhere. */
  | { readonly type: 'call'; readonly room: RoomId; readonly startedBy: UserId; readonly startedAtMs: number; readonly owner: ServerName; readonly term: number; readonly page?: string | undefined }
  | { readonly type: 'callRefused'; readonly room: RoomId; readonly code: 'forbidden' }
  | { readonly type: 'people'; readonly room: RoomId; readonly people: readonly PeerPerson[] }
  | { readonly type: 'person'; readonly room: RoomId; readonly person: PeerPerson }
  | { readonly type: 'gone'; readonly room: RoomId; readonly id: ParticipantId; readonly reason: CloseReason | 'other' }
  | { readonly type: 'speakers'; readonly room: RoomId; readonly speakers: readonly { readonly id: ParticipantId; readonly level: number }[] }
  | { readonly type: 'quality'; readonly room: RoomId; readonly id: ParticipantId; readonly level: 'poor' | 'good' | 'excellent'; readonly score: number }
  | ({ readonly type: 'media'; readonly room: RoomId } & PipeEnd)
  | { readonly type: 'want'; readonly room: RoomId; readonly track: TrackId; readonly layer: number | undefined }
  | { readonly type: 'unwant'; readonly room: RoomId; readonly track: TrackId }
  | { readonly type: 'offer'; readonly room: RoomId; readonly track: TrackId; readonly kind: 'audio' | 'video'; readonly rtp: RtpParameters; readonly paused: boolean }
  | { readonly type: 'refused'; readonly room: RoomId; readonly track: TrackId; readonly code: 'unknown' | 'forbidden' | 'limit' }
  /** Whether the sender receives what it wants. */
  | { readonly type: 'path'; readonly room: RoomId; readonly passes: boolean }
  | { readonly type: 'ticket'; readonly request: number; readonly room: RoomId; readonly user: UserId; readonly device: string }
  | { readonly type: 'ticketAnswer'; readonly request: number; readonly answer: { readonly url: string; readonly ticket: string } | { readonly code: 'forbidden' | 'unavailable' } }
  | { readonly type: 'end'; readonly room: RoomId; readonly by: UserId; readonly atMs: number }
  | { readonly type: 'leave'; readonly room: RoomId };
