// Owns writing frames of the cascade: messages as the text that any neighbour takes, whatever our own clients have put into them.
import type { CloseReason } from '../call/close-reason.ts';
import type { PeerMessage, PeerPerson } from '../control/ports/peer-links.ts';
import type { Bye, Hello } from './frames.ts';
import { maxFrameBytes } from './limits.ts';
import { attributesBytes, maxAttributesBytes, maxAudioFeatures, maxLayers, maxMetadataBytes, maxNameLength, maxUint32 } from './wire-shapes.ts';

/**
 * The frames of one message, in their order: more than one where a call's people do not fit into one.
 * @throws RangeError for a message that can be in no frame
 */
export function encodeMessage(message: PeerMessage): readonly string[] {
  if (message.type !== 'people') return [sized(JSON.stringify(toWire(message)))];
  const { room } = message;
  const people = message.people.map(personText);
  const frame = (list: readonly string[]) => `{"type":"people","room":${JSON.stringify(room)},"people":[${list.join(',')}]}`;
  let sizeBytes = Buffer.byteLength(frame([]));
  let first = 0;
  for (const text of people) {
    sizeBytes += Buffer.byteLength(text) + 1;
    if (sizeBytes > maxFrameBytes) break;
    first += 1;
  }
  return [frame(people.slice(0, first)), ...people.slice(first).map((text) => `{"type":"person","room":${JSON.stringify(room)},"person":${text}}`)];
}

export function encodeHello(hello: Hello): string {
  return JSON.stringify(hello);
}

export function encodeBye({ code, text }: Omit<Bye, 'type'>): string {
  return JSON.stringify({ type: 'bye', code, text: text.slice(0, 200) });
}

function sized(text: string): string {
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes > maxFrameBytes) throw new RangeError(`a frame of ${sizeBytes} bytes is too large`);
  return text;
}

function toWire(message: Exclude<PeerMessage, { type: 'people' }>): object {
  switch (message.type) {
    case 'call': {
      const { startedAtMs, ...rest } = message;
      return { ...rest, startedAt: startedAtMs };
    }
    case 'person':
      return { type: message.type, room: message.room, person: fitting(message.person) };
    case 'gone':
      return { ...message, reason: reasonOf(message.reason) };
    case 'speakers':
      return { ...message, speakers: message.speakers.map(({ id, level }) => ({ id, level: between(level, 0, 1) })) };
    case 'quality':
      return { ...message, score: between(message.score, 0, 5) };
    case 'offer': {
      const { codecs, headerExtensions, encodings, rtcp, mid } = message.rtp;
      return { ...message, rtp: { mid, codecs, headerExtensions, encodings, rtcp } };
    }
    case 'ticketAnswer':
      return { type: message.type, request: message.request, ...message.answer };
    case 'end': {
      const { atMs, ...rest } = message;
      return { ...rest, at: atMs };
    }
    case 'callRefused':
    case 'media':
    case 'want':
    case 'unwant':
    case 'path':
    case 'refused':
    case 'ticket':
    case 'leave':
      return message;
    default:
      return message satisfies never;
  }
}

function reasonOf(reason: CloseReason | 'other'): string {
  return reason === 'joinTimeout' || reason === 'protocolError' ? 'other' : reason;
}

/** Leaves room for the type and the room's id around a person. */
const maxPersonBytes = maxFrameBytes - 2048;
/** More than any bridge takes, and few enough for a frame. */
const maxTracks = 32;

function personText(person: PeerPerson): string {
  return JSON.stringify(fitting(person));
}

/** Escapes may make metadata six times as long: what does not fit goes without. */
function fitting(person: PeerPerson): object {
  const whole = personShape(person);
  if (Buffer.byteLength(JSON.stringify(whole)) <= maxPersonBytes) return whole;
  const bare = { ...whole, metadata: '' };
  return Buffer.byteLength(JSON.stringify(bare)) <= maxPersonBytes ? bare : { ...bare, attributes: {} };
}

function personShape({ id, user, device, name, joinedAtMs, active, awaited, metadata, attributes, tracks }: PeerPerson) {
  return {
    id,
    user,
    device,
    name: name.slice(0, maxNameLength),
    joinedAt: joinedAtMs,
    active,
    awaited,
    metadata: Buffer.byteLength(metadata) > maxMetadataBytes ? '' : metadata,
    attributes: attributesBytes(attributes) > maxAttributesBytes ? {} : Object.fromEntries(attributes),
    tracks: tracks.slice(0, maxTracks).map(trackShape),
  };
}

/** Member by member: what else our tracks hold stays here. */
function trackShape({ id, kind, source, name, stream, muted, width, height, encryption, layers, audioFeatures }: PeerPerson['tracks'][number]): object {
  return {
    id,
    kind,
    source,
    name: name.slice(0, maxNameLength),
    stream: stream.slice(0, maxNameLength),
    muted,
    ...size({ width, height }),
    encryption,
    layers: layers.slice(0, maxLayers).map(({ quality, bitrateBps, ...rest }) => ({ quality, ...size(rest), bitrateBps: between(bitrateBps, 0, maxUint32) })),
    audioFeatures: audioFeatures.slice(0, maxAudioFeatures),
  };
}

function size({ width, height }: { readonly width: number; readonly height: number }) {
  return { width: between(width, 0, maxUint32), height: between(height, 0, maxUint32) };
}

function between(value: number, least: number, most: number): number {
  return Number.isNaN(value) ? least : Math.min(Math.max(value, least), most);
}
