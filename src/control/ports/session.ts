// Port between control/ and a signalling protocol: one person's connection, both ways.
import type { CallId, ParticipantId, TrackId } from '../../call/ids.ts';
import type { CallError } from '../../call/errors.ts';
import type { CloseReason } from '../../call/close-reason.ts';
import type { ClientProfile, Identity, Participant } from '../../call/participant.ts';
import type { Track, TrackDescription } from '../../call/track.ts';
import type { Result } from '../../util/result.ts';
import type { EndpointListener, MediaEndpoint, SpeakerLevel } from './media-plane.ts';
import type { RtpCapabilities } from 'mediasoup/types';

/** What a signalling protocol gets of the calls. Implemented by control/. */
export interface CallDoor {
  /** Everything that `join` would check, without joining. */
  validate(ticket: string): Promise<Result<AdmittedTicket, CallError>>;
  /**
   * Post on success: the participant is in the call (state joining), a session of the same identity was closed before
   * (duplicateIdentity), the sink hears of every change after the returned snapshot, in order.
   */
  join(request: JoinRequest): Promise<Result<JoinedSession, CallError>>;
}

export interface AdmittedTicket {
  readonly callId: CallId;
  readonly identity: Identity;
}

export interface JoinRequest {
  readonly ticket: string;
  readonly profile: ClientProfile;
  readonly sink: SessionSink;
  readonly endpointListener: EndpointListener;
}

export interface JoinedSession {
  readonly callId: CallId;
  readonly startedAtMs: number;
  readonly self: Participant;
  /** Everybody else in the call at the moment of joining, whatever their state. */
  readonly others: readonly Participant[];
  readonly endpoint: MediaEndpoint;
  readonly rtpCapabilities: RtpCapabilities;
  readonly control: SessionControl;
}

/** What one session may do to its call. After the session ended every method answers `callEnded` or does nothing. */
export interface SessionControl {
  /** The primary transport is up: the participant becomes active. Idempotent. */
  becameActive(): Promise<void>;
  /** Refused: publishForbidden, limitExceeded. Post: the track exists but is not published. */
  announceTrack(track: TrackDescription): Promise<Result<Track, CallError>>;
  /** Media of an announced track can flow: others see it now. */
  trackPublished(track: TrackId): Promise<Result<Track, CallError>>;
  trackUnpublished(track: TrackId): Promise<void>;
  setMuted(track: TrackId, muted: boolean): Promise<Result<Track, CallError>>;
  updateTrack(track: TrackId, change: TrackChange): Promise<Result<Track, CallError>>;
  /** Refused: publishForbidden (no right), limitExceeded (metadata 512 KiB, attributes 64 KiB, name 256). Attributes merge; "" deletes a key. */
  updateSelf(change: SelfChange): Promise<Result<Participant, CallError>>;
  /** Tells the others (and the person) how well this person is connected. */
  reportQuality(quality: ConnectionQuality): void;
  /** A fresh ticket for the same identity, for the client's next reconnect. */
  refreshTicket(): Promise<string>;
  /** Idempotent. The sink is not told: the caller knows. */
  leave(reason: CloseReason): Promise<void>;
}

export interface TrackChange {
  readonly width?: number;
  readonly height?: number;
  readonly audioFeatures?: readonly number[];
}

export interface SelfChange {
  readonly name?: string;
  readonly metadata?: string;
  readonly attributes?: ReadonlyMap<string, string>;
}

export interface ConnectionQuality {
  readonly participant: ParticipantId;
  readonly level: 'poor' | 'good' | 'excellent';
  /** 0..5, like LiveKit's score. */
  readonly score: number;
}

/** How control/ speaks to one session. Methods never throw and never wait. */
export interface SessionSink {
  /** New, changed (the person's own entry too) and departed participants. */
  participantsChanged(change: ParticipantsChange): void;
  speakersChanged(speakers: readonly SpeakerLevel[]): void;
  qualityChanged(quality: ConnectionQuality): void;
  /** The session is over: tell the client why, close the connection. Called at most once; the endpoint is closed after it. */
  close(reason: CloseReason): void;
}

export interface ParticipantsChange {
  readonly changed: readonly Participant[];
  readonly left: readonly { readonly participant: Participant; readonly reason: CloseReason }[];
  /** People in the call after the change. */
  readonly count: number;
}
