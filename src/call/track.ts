// Owns Track: one audio or video stream that a participant publishes.
import type { TrackId } from './ids.ts';

export type TrackKind = 'audio' | 'video';
export type TrackSource = 'camera' | 'microphone' | 'screenShare' | 'screenShareAudio' | 'unknown';

/** One simulcast layer as its publisher announced it (LiveKit VideoLayer). */
export interface VideoLayer {
  readonly quality: 'low' | 'medium' | 'high';
  readonly width: number;
  readonly height: number;
  readonly bitrateBps: number;
}

/** What the publisher says of a track before it sends it (LiveKit AddTrackRequest). */
export interface TrackDescription {
  /** The publisher's own name of the track, by which it recognises our answer. */
  readonly clientTrackId: string;
  readonly kind: TrackKind;
  readonly source: TrackSource;
  readonly name: string;
  readonly stream: string;
  readonly muted: boolean;
  readonly width: number;
  readonly height: number;
  readonly layers: readonly VideoLayer[];
  /** End-to-end encryption of the frames; receivers decide by it (LiveKit Encryption.Type). */
  readonly encryption: 'none' | 'gcm' | 'custom';
  /** LiveKit AudioTrackFeature values, handed on unread. */
  readonly audioFeatures: readonly number[];
}

export interface Track extends TrackDescription {
  readonly id: TrackId;
  /** True once media can flow: only then others see it. */
  readonly published: boolean;
}
