// Owns turning LiveKit's track references into the tiles of the stage.
import type { TrackReferenceOrPlaceholder } from '@livekit/components-react';
import { Track } from 'livekit-client';
import type { Focusable } from './layout.ts';

export interface StageTile extends Focusable {
  readonly trackRef: TrackReferenceOrPlaceholder;
}

export function tileOf(trackRef: TrackReferenceOrPlaceholder): StageTile {
  const { identity, isLocal } = trackRef.participant;
  return { key: `${identity}/${trackRef.source}`, identity, isLocal, isScreen: trackRef.source === Track.Source.ScreenShare, trackRef };
}
