// Owns the shapes inside the cascade's messages: identifiers, people, tracks, RTP parameters. Values that only describe are cut to size, all else must fit.
import { z } from 'zod';
import { isRoomId, isServerName, isUserId, type ParticipantId, type RoomId, type ServerName, type TrackId, type UserId } from '../call/ids.ts';
import type { PeerMessage, PeerPerson } from '../control/ports/peer-links.ts';

type Rtp = Extract<PeerMessage, { type: 'offer' }>['rtp'];
type HeaderExtensionUri = NonNullable<Rtp['headerExtensions']>[number]['uri'];

export const maxNameLength = 256;
export const maxMetadataBytes = 65_536;
export const maxAttributesBytes = 16_384;
export const maxLayers = 8;
export const maxAudioFeatures = 16;
export const maxUint32 = 4_294_967_295;

const isPeerId = (value: unknown): boolean => typeof value === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(value);

export const roomId = z.custom<RoomId>((value) => typeof value === 'string' && isRoomId(value), 'not a room id');
export const userId = z.custom<UserId>((value) => typeof value === 'string' && isUserId(value), 'not a user id');
export const serverName = z.custom<ServerName>((value) => typeof value === 'string' && isServerName(value), 'not a server name');
export const personId = z.custom<ParticipantId>(isPeerId, 'not an id of a person');
export const trackId = z.custom<TrackId>(isPeerId, 'not an id of a track');
/** Milliseconds since 1970. */
export const time = z.int().min(0);
export const uint32 = z.int().min(0).max(maxUint32);

const name = z.string().transform((text) => text.slice(0, maxNameLength));
const metadata = z.string().transform((text) => (Buffer.byteLength(text) > maxMetadataBytes ? '' : text));
const attributes = z.record(z.string(), z.string()).transform((record): ReadonlyMap<string, string> => {
  const map = new Map(Object.entries(record));
  return attributesBytes(map) > maxAttributesBytes ? new Map() : map;
});

/** Keys and values as UTF-8. */
export function attributesBytes(map: ReadonlyMap<string, string>): number {
  let sum = 0;
  for (const [key, value] of map) sum += Buffer.byteLength(key) + Buffer.byteLength(value);
  return sum;
}

/** What minor versions may add is read as a word that means "something else". */
function orElse<const Word extends string>(words: readonly Word[], other: NoInfer<Word>): z.ZodType<Word> {
  const known = new Map<string, Word>(words.map((word) => [word, word]));
  return z.string().transform((text) => known.get(text) ?? other);
}

export const leaveReason = orElse(['clientLeft', 'duplicateIdentity', 'membershipLost', 'callEnded', 'connectionLost', 'mediaLost', 'bridgeStopping', 'other'], 'other');

const layer = z.object({ quality: z.enum(['low', 'medium', 'high']), width: uint32, height: uint32, bitrateBps: uint32 });

const track = z.object({
  id: trackId,
  kind: z.enum(['audio', 'video']),
  source: orElse(['camera', 'microphone', 'screenShare', 'screenShareAudio', 'unknown'], 'unknown'),
  name,
  stream: name,
  muted: z.boolean(),
  width: uint32,
  height: uint32,
  encryption: z.enum(['none', 'gcm', 'custom']),
  layers: z.array(layer).transform((layers) => layers.slice(0, maxLayers)),
  audioFeatures: z.array(z.int()).transform((features) => features.slice(0, maxAudioFeatures)),
});

export const person: z.ZodType<PeerPerson> = z
  .object({ id: personId, user: userId, device: uint32, name, joinedAt: time, active: z.boolean(), awaited: z.boolean().optional(), metadata, attributes, tracks: z.array(track) })
  .transform(({ joinedAt, ...rest }) => ({ ...rest, joinedAtMs: joinedAt }));

const uris: readonly HeaderExtensionUri[] = [
  'urn:ietf:params:rtp-hdrext:sdes:mid',
  'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
  'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  'urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension',
  'urn:3gpp:video-orientation',
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time',
  'urn:ietf:params:rtp-hdrext:toffset',
  'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
  'urn:mediasoup:params:rtp-hdrext:packet-id',
];
const knownUris = new Map<string, HeaderExtensionUri>(uris.map((uri) => [uri, uri]));

const word = z.string().max(256);
const parameters = z.record(word, z.union([word, z.number(), z.boolean(), z.null()])).refine((record) => Object.keys(record).length <= 32, 'more than 32 parameters');
const ssrc = z.int().min(1).max(maxUint32);
const payloadType = z.int().min(0).max(127);

const codec = z.object({
  mimeType: z.string().regex(/^(audio|video)\/[\w.+-]{1,64}$/),
  payloadType,
  clockRate: z.int().min(1).max(maxUint32),
  channels: z.int().min(1).max(255).exactOptional(),
  parameters: parameters.exactOptional(),
  rtcpFeedback: z.array(z.object({ type: word, parameter: word.exactOptional() })).max(32).exactOptional(),
});
const headerExtension = z.object({ uri: word, id: z.int().min(1).max(255), encrypt: z.boolean().exactOptional(), parameters: parameters.exactOptional() });
const encoding = z.object({
  ssrc: ssrc.exactOptional(),
  rid: word.exactOptional(),
  codecPayloadType: payloadType.exactOptional(),
  rtx: z.object({ ssrc }).exactOptional(),
  dtx: z.boolean().exactOptional(),
  scalabilityMode: word.exactOptional(),
  maxBitrate: uint32.exactOptional(),
});

/** ORTC's RtpParameters. Header extensions that the media plane does not know are left out. */
export const rtpParameters: z.ZodType<Rtp> = z.object({
  mid: word.exactOptional(),
  codecs: z.array(codec).min(1).max(16),
  headerExtensions: z
    .array(headerExtension)
    .max(32)
    .transform((list) => list.flatMap(({ uri, ...rest }) => {
      const known = knownUris.get(uri);
      return known === undefined ? [] : [{ ...rest, uri: known }];
    }))
    .exactOptional(),
  encodings: z.array(encoding).max(8).exactOptional(),
  rtcp: z.object({ cname: word.exactOptional(), reducedSize: z.boolean().exactOptional() }).exactOptional(),
});
