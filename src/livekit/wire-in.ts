// Owns the way in: LiveKit's protobuf messages into our words. With wire-out.ts the only place that knows what they mean.
import {
  AudioTrackFeature, Encryption_Type, TrackSource as WireSource, TrackType, VideoQuality,
  type AddTrackRequest, type UpdateParticipantMetadata, type UpdateSubscription, type UpdateTrackSettings, type VideoLayer as WireLayer,
} from '@livekit/protocol';
import { isTrackId, type TrackId } from '../call/ids.ts';
import type { TrackDescription, TrackSource, VideoLayer } from '../call/track.ts';
import type { SelfChange } from '../control/ports/session.ts';
import type { ViewerWish } from './layer-choice.ts';

/** Longer texts are not a track's name but an attack; LiveKit itself has no limit. */
const maxTextLength = 512;
const maxLayers = 4;

/** undefined: it cannot be a track of ours (no client id, a data track, a second codec of a track). */
export function fromAddTrack(request: AddTrackRequest): TrackDescription | undefined {
  if (request.cid === '' || request.sid !== '' || (request.type !== TrackType.AUDIO && request.type !== TrackType.VIDEO)) return undefined;
  if ([request.cid, request.name, request.stream].some((text) => text.length > maxTextLength)) return undefined;
  const source = fromSource(request.source);
  // New clients announce the layers per codec, old ones once.
  const layers = request.layers.length > 0 ? request.layers : (request.simulcastCodecs[0]?.layers ?? []);
  return {
    clientTrackId: request.cid,
    kind: request.type === TrackType.AUDIO ? 'audio' : 'video',
    source,
    name: request.name,
    stream: request.stream === '' ? defaultStream(source) : request.stream,
    muted: request.muted,
    width: request.width,
    height: request.height,
    layers: request.type === TrackType.VIDEO ? layers.slice(0, maxLayers).flatMap(fromLayer) : [],
    encryption: request.encryption === Encryption_Type.GCM ? 'gcm' : request.encryption === Encryption_Type.CUSTOM ? 'custom' : 'none',
    audioFeatures: audioFeatures(request),
  };
}

export function isStereo({ audioFeatures: features }: Pick<TrackDescription, 'audioFeatures'>): boolean {
  return features.includes(AudioTrackFeature.TF_STEREO);
}

export function usesDtx({ audioFeatures: features }: Pick<TrackDescription, 'audioFeatures'>): boolean {
  return !features.includes(AudioTrackFeature.TF_NO_DTX);
}

export function fromWish(settings: UpdateTrackSettings): ViewerWish {
  return {
    disabled: settings.disabled || settings.quality === VideoQuality.OFF,
    quality: settings.quality === VideoQuality.LOW ? 'low' : settings.quality === VideoQuality.MEDIUM ? 'medium' : 'high',
    width: settings.width,
    height: settings.height,
    fps: settings.fps,
    priority: settings.priority,
  };
}

export function fromSubscription({ trackSids, participantTracks, subscribe }: UpdateSubscription): { readonly tracks: readonly TrackId[]; readonly subscribe: boolean } {
  return { tracks: toTrackIds([...trackSids, ...participantTracks.flatMap((tracks) => tracks.trackSids)]), subscribe };
}

/** Unknown and malformed ids are left out: the track may have gone. */
export function toTrackIds(sids: readonly string[]): TrackId[] {
  return sids.filter(isTrackId);
}

/** An empty name or metadata means: unchanged. */
export function fromMetadata({ name, metadata, attributes }: UpdateParticipantMetadata): SelfChange {
  return {
    ...(name !== '' && { name }),
    ...(metadata !== '' && { metadata }),
    ...(Object.keys(attributes).length > 0 && { attributes: new Map(Object.entries(attributes)) }),
  };
}

function fromSource(source: WireSource): TrackSource {
  switch (source) {
    case WireSource.CAMERA: return 'camera';
    case WireSource.MICROPHONE: return 'microphone';
    case WireSource.SCREEN_SHARE: return 'screenShare';
    case WireSource.SCREEN_SHARE_AUDIO: return 'screenShareAudio';
    case WireSource.UNKNOWN: return 'unknown';
    default: return 'unknown';
  }
}

function defaultStream(source: TrackSource): string {
  return source === 'screenShare' || source === 'screenShareAudio' ? 'screen_share' : 'camera';
}

function fromLayer({ quality, width, height, bitrate }: WireLayer): VideoLayer[] {
  if (quality === VideoQuality.OFF) return [];
  return [{ quality: quality === VideoQuality.LOW ? 'low' : quality === VideoQuality.MEDIUM ? 'medium' : 'high', width, height, bitrateBps: bitrate }];
}

/** Two of the features also have a field of their own from older days. */
function audioFeatures(request: AddTrackRequest): number[] {
  if (request.type !== TrackType.AUDIO) return [];
  /* eslint-disable @typescript-eslint/no-deprecated -- the oldest clients that we serve know only these fields. */
  const stereo = request.stereo ? [AudioTrackFeature.TF_STEREO] : [];
  const noDtx = request.disableDtx ? [AudioTrackFeature.TF_NO_DTX] : [];
  /* eslint-enable @typescript-eslint/no-deprecated */
  return [...new Set([...request.audioFeatures, ...stereo, ...noDtx])];
}
