// Owns the way out: our words into LiveKit's protobuf messages. With wire-in.ts the only place that knows what they mean.
import {
  AudioTrackFeature, ClientConfigSetting, ClientConfiguration, ClientInfo_Capability, Codec, ConnectionQuality as WireQuality, DisconnectReason, Encryption_Type, JoinResponse,
  LeaveRequest, LeaveRequest_Action, ParticipantInfo, ParticipantInfo_Kind, ParticipantInfo_State, ParticipantPermission, Room, ServerInfo,
  ServerInfo_Edition, SimulcastCodecInfo, TrackInfo, TrackSource as WireSource, TrackType, VideoLayer as WireLayer, VideoLayer_Mode, VideoQuality, type ICEServer,
} from '@livekit/protocol';
import type { CloseReason } from '../call/close-reason.ts';
import type { CallId } from '../call/ids.ts';
import { publishedTracks, type Participant } from '../call/participant.ts';
import type { Permissions } from '../call/roles.ts';
import type { Track, TrackSource, VideoLayer } from '../call/track.ts';
import type { ConnectionQuality, JoinedSession } from '../control/ports/session.ts';

export interface JoinFacts {
  readonly joined: JoinedSession;
  readonly count: number;
  readonly serverVersion: string;
  readonly iceServers: readonly ICEServer[];
  readonly pingIntervalSeconds: number;
  readonly pingTimeoutSeconds: number;
  readonly subscriberPrimary: boolean;
}

/** The signalling protocol version that we speak (LiveKit ServerInfo.protocol). */
const protocolVersion = 16;

/** The order is our preference: a client that wishes another codec takes the first video codec. */
const publishCodecs = [new Codec({ mime: 'video/VP8' }), new Codec({ mime: 'audio/opus' })];

const sources: Readonly<Record<TrackSource, WireSource>> = {
  camera: WireSource.CAMERA,
  microphone: WireSource.MICROPHONE,
  screenShare: WireSource.SCREEN_SHARE,
  screenShareAudio: WireSource.SCREEN_SHARE_AUDIO,
  unknown: WireSource.UNKNOWN,
};
const qualities: Readonly<Record<VideoLayer['quality'], VideoQuality>> = { low: VideoQuality.LOW, medium: VideoQuality.MEDIUM, high: VideoQuality.HIGH };
const encryptions = { none: Encryption_Type.NONE, gcm: Encryption_Type.GCM, custom: Encryption_Type.CUSTOM } as const;
const connectionLevels = { poor: WireQuality.POOR, good: WireQuality.GOOD, excellent: WireQuality.EXCELLENT } as const;

interface Departure {
  readonly reason: DisconnectReason;
  readonly action: LeaveRequest_Action;
}

/** What the client does next: stay away, or come back at once with a new session. */
const departures: Readonly<Record<CloseReason, Departure>> = {
  clientLeft: { reason: DisconnectReason.CLIENT_INITIATED, action: LeaveRequest_Action.DISCONNECT },
  duplicateIdentity: { reason: DisconnectReason.DUPLICATE_IDENTITY, action: LeaveRequest_Action.DISCONNECT },
  membershipLost: { reason: DisconnectReason.PARTICIPANT_REMOVED, action: LeaveRequest_Action.DISCONNECT },
  callEnded: { reason: DisconnectReason.ROOM_DELETED, action: LeaveRequest_Action.DISCONNECT },
  connectionLost: { reason: DisconnectReason.CONNECTION_TIMEOUT, action: LeaveRequest_Action.RECONNECT },
  joinTimeout: { reason: DisconnectReason.JOIN_FAILURE, action: LeaveRequest_Action.DISCONNECT },
  mediaLost: { reason: DisconnectReason.MEDIA_FAILURE, action: LeaveRequest_Action.RECONNECT },
  bridgeStopping: { reason: DisconnectReason.SERVER_SHUTDOWN, action: LeaveRequest_Action.RECONNECT },
  protocolError: { reason: DisconnectReason.STATE_MISMATCH, action: LeaveRequest_Action.DISCONNECT },
};

export function toLeave(reason: CloseReason): LeaveRequest {
  const { reason: wireReason, action } = departures[reason];
  return new LeaveRequest({ reason: wireReason, action, canReconnect: action === LeaveRequest_Action.RECONNECT });
}

/** The answer to an attempt to resume a session that we do not keep: come back with a new one. */
export function toStateMismatch(): LeaveRequest {
  return new LeaveRequest({ reason: DisconnectReason.STATE_MISMATCH, action: LeaveRequest_Action.RECONNECT, canReconnect: true });
}

/** The session cannot begin: the client must not try again by itself. */
export function toJoinFailure(): LeaveRequest {
  return new LeaveRequest({ reason: DisconnectReason.JOIN_FAILURE, action: LeaveRequest_Action.DISCONNECT });
}

export function toJoin({ joined, count, serverVersion, iceServers, pingIntervalSeconds, pingTimeoutSeconds, subscriberPrimary }: JoinFacts): JoinResponse {
  return new JoinResponse({
    room: toRoom(joined, count),
    participant: toParticipant(joined.self),
    otherParticipants: joined.others.filter(isPresent).map(toParticipant),
    // The deprecated scalar too: some clients read only that.
    serverVersion,
    serverInfo: new ServerInfo({ edition: ServerInfo_Edition.Standard, version: serverVersion, protocol: protocolVersion }),
    iceServers: [...iceServers],
    subscriberPrimary,
    pingInterval: pingIntervalSeconds,
    pingTimeout: pingTimeoutSeconds,
    enabledPublishCodecs: publishCodecs,
    clientConfiguration: new ClientConfiguration({ resumeConnection: ClientConfigSetting.DISABLED }),
  });
}

export function toRoom({ callId, startedAtMs }: { readonly callId: CallId; readonly startedAtMs: number }, count: number): Room {
  return new Room({
    sid: `RM_${callId.replace(/^C_/, '')}`,
    name: callId,
    creationTime: BigInt(Math.floor(startedAtMs / 1_000)),
    creationTimeMs: BigInt(startedAtMs),
    numParticipants: count,
    enabledCodecs: publishCodecs,
  });
}

/** People whose connection broke with a former process of ours are not shown until they are back. */
export function isPresent(participant: Participant): boolean {
  return participant.state !== 'lost';
}

export function toParticipant(participant: Participant): ParticipantInfo {
  const { profile } = participant;
  return new ParticipantInfo({
    sid: participant.id,
    identity: participant.identity,
    name: participant.name,
    kind: ParticipantInfo_Kind.STANDARD,
    state: participant.state === 'active' ? ParticipantInfo_State.ACTIVE : ParticipantInfo_State.JOINED,
    tracks: publishedTracks(participant).map(toTrack),
    metadata: participant.metadata,
    attributes: { ...Object.fromEntries(participant.attributes), role: participant.role },
    joinedAt: BigInt(Math.floor(participant.joinedAtMs / 1_000)),
    joinedAtMs: BigInt(participant.joinedAtMs),
    version: participant.version,
    permission: toPermission(participant.permissions),
    isPublisher: publishedTracks(participant).length > 0,
    // Peers choose their own protocol features by these.
    clientProtocol: profile.clientProtocol,
    capabilities: profile.capabilities.filter((capability): capability is ClientInfo_Capability => ClientInfo_Capability[capability] !== undefined),
  });
}

export function toDeparted(participant: Participant, reason: CloseReason): ParticipantInfo {
  const info = toParticipant({ ...participant, tracks: new Map(), version: participant.version + 1 });
  info.state = ParticipantInfo_State.DISCONNECTED;
  info.disconnectReason = departures[reason].reason;
  return info;
}

/** Source lists are always filled: user interfaces grey out a button whose source is not in it. */
function toPermission({ mayPublish, maySubscribe, mayPublishData, mayUpdateMetadata, sources: allowed }: Permissions): ParticipantPermission {
  const listed = allowed.length > 0 ? allowed : (['camera', 'microphone', 'screenShare', 'screenShareAudio'] as const);
  return new ParticipantPermission({
    canSubscribe: maySubscribe,
    canPublish: mayPublish,
    canPublishData: mayPublishData,
    canUpdateMetadata: mayUpdateMetadata,
    canPublishSources: mayPublish ? listed.map((source) => sources[source]) : [],
  });
}

export function toTrack(track: Track): TrackInfo {
  const mimeType = track.kind === 'audio' ? 'audio/opus' : 'video/VP8';
  const layers = track.layers.map(toLayer);
  return new TrackInfo({
    sid: track.id,
    type: track.kind === 'audio' ? TrackType.AUDIO : TrackType.VIDEO,
    source: sources[track.source],
    name: track.name,
    stream: track.stream,
    muted: track.muted,
    width: track.width,
    height: track.height,
    simulcast: layers.length > 1,
    layers,
    mimeType,
    codecs: [new SimulcastCodecInfo({ mimeType, cid: track.clientTrackId, layers, videoLayerMode: track.kind === 'audio' ? VideoLayer_Mode.MODE_UNUSED : VideoLayer_Mode.ONE_SPATIAL_LAYER_PER_STREAM })],
    encryption: encryptions[track.encryption],
    disableRed: true,
    audioFeatures: track.audioFeatures.filter((feature): feature is AudioTrackFeature => AudioTrackFeature[feature] !== undefined),
  });
}

function toLayer({ quality, width, height, bitrateBps }: VideoLayer): WireLayer {
  return new WireLayer({ quality: qualities[quality], width, height, bitrate: bitrateBps });
}

export function toQuality({ level }: ConnectionQuality): WireQuality {
  return connectionLevels[level];
}
