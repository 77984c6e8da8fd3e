// Owns reading a frame of the cascade: text from a neighbour into a message, or what is wrong with it.
import { isIP } from 'node:net';
import { z } from 'zod';
import type { PeerMessage, PeerPerson } from '../control/ports/peer-links.ts';
import { err, ok, type Result } from '../util/result.ts';
import { byeCodes, type Bye, type Frame, type Hello } from './frames.ts';
import { cascadeLimits, type CascadeLimits } from './limits.ts';
import { leaveReason, person, personId, roomId, rtpParameters, serverName, time, trackId, uint32, userId } from './wire-shapes.ts';

export interface Decoded {
  /** undefined: of a type that we do not know, to be ignored. */
  readonly frame: Frame | undefined;
  /** People and tracks over the limits that we have told. */
  readonly leftOut: number;
}

/** Never throws. The error says in words what is wrong, without the frame's values. */
export function decodeFrame(text: string, limits: Pick<CascadeLimits, 'people' | 'tracksPerPerson'>): Result<Decoded, string> {
  const parsed = envelope.safeParse(parseJson(text));
  if (!parsed.success) return err('a frame is no JSON object with a type');
  const { type } = parsed.data;
  const shape = shapeOf(type);
  if (shape === undefined) return ok({ frame: undefined, leftOut: 0 });
  const frame = shape.safeParse(parsed.data);
  if (!frame.success) return err(faults(type, frame.error));
  return ok(within(frame.data, limits));
}

function faults(type: string, { issues }: z.ZodError): string {
  return printable(`${type}: ${issues.slice(0, 3).map(({ path, message }) => `${path.join('.').slice(0, 80)}: ${message.slice(0, 120)}`).join('; ')}`);
}

const unsafe = /[\p{Cc}\p{Cf}\u2028\u2029]+/gu;

/** Text of a neighbour on one line, without what would change how a terminal shows it. */
function printable(text: string): string {
  return text.replaceAll(unsafe, ' ').slice(0, 400);
}

const envelope = z.looseObject({ type: z.string().max(64) });

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const room = roomId;
const bare = ({ username, password, search, hash }: URL): boolean => [username, password, search, hash].every((part) => part === '');
const score = z.number().min(0).max(5);
/** One that cannot be used is none: the call does not hang on it. */
const page = z.url({ protocol: /^https?$/ }).max(2048).refine((text) => URL.canParse(text) && bare(new URL(text)), 'holds more than an address').optional().catch(undefined);
const call = z.object({ room, startedBy: userId, startedAt: time, owner: serverName, term: uint32.default(0), page }).transform(({ startedAt, ...rest }) => ({ ...rest, type: 'call' as const, startedAtMs: startedAt }));
const ticketRequest = z.int().min(0);
const granted = z.object({ request: ticketRequest, url: z.url({ protocol: /^(wss?|https?)$/ }).max(2048), ticket: z.string().min(1).max(16_384) }).transform(({ request, ...answer }) => ({ type: 'ticketAnswer' as const, request, answer }));
const refusedTicket = z.object({ request: ticketRequest, code: z.enum(['forbidden', 'unavailable']) }).transform(({ request, code }) => ({ type: 'ticketAnswer' as const, request, answer: { code } }));
const end = z.object({ room, by: userId, at: time }).transform(({ at, ...rest }) => ({ ...rest, type: 'end' as const, atMs: at }));
const want = z.object({ room, track: trackId, layer: z.int().min(0).max(2).optional() }).transform(({ layer, ...rest }) => ({ ...rest, type: 'want' as const, layer }));

const messages: { readonly [Type in PeerMessage['type']]: z.ZodType<Extract<PeerMessage, { type: Type }>> } = {
  call,
  callRefused: z.object({ type: z.literal('callRefused'), room, code: z.literal('forbidden') }),
  people: z.object({ type: z.literal('people'), room, people: z.array(person) }),
  person: z.object({ type: z.literal('person'), room, person }),
  gone: z.object({ type: z.literal('gone'), room, id: personId, reason: leaveReason }),
  speakers: z.object({ type: z.literal('speakers'), room, speakers: z.array(z.object({ id: personId, level: z.number().min(0).max(1) })) }),
  quality: z.object({ type: z.literal('quality'), room, id: personId, level: z.enum(['poor', 'good', 'excellent']), score }),
  media: z.object({
    type: z.literal('media'),
    room,
    address: z.string().refine((text) => isIP(text) !== 0, 'not an IP address'),
    port: z.int().min(1).max(65_535),
    srtp: z.object({ suite: z.literal('AEAD_AES_256_GCM'), key: z.string().regex(/^[A-Za-z0-9+/]{59}=$/, 'not 44 bytes of base64') }),
  }),
  want,
  path: z.object({ type: z.literal('path'), room, passes: z.boolean() }),
  unwant: z.object({ type: z.literal('unwant'), room, track: trackId }),
  offer: z.object({ type: z.literal('offer'), room, track: trackId, kind: z.enum(['audio', 'video']), rtp: rtpParameters, paused: z.boolean() }),
  refused: z.object({ type: z.literal('refused'), room, track: trackId, code: z.enum(['unknown', 'forbidden', 'limit']) }),
  ticket: z.object({ type: z.literal('ticket'), request: ticketRequest, room, user: userId, device: z.string().min(1).max(255) }),
  ticketAnswer: z.union([refusedTicket, granted]),
  end,
  leave: z.object({ type: z.literal('leave'), room }),
};

/** Of a bridge that does not say. */
const defaultBytesPerSecond = cascadeLimits.bytesPerSecond;
const hello: z.ZodType<Hello> = z.object({
  type: z.literal('hello'),
  version: z.string().max(16),
  serverName,
  limits: z.object({ people: z.int().min(1), tracksPerPerson: z.int().min(1), framesPerSecond: z.int().min(10), bytesPerSecond: z.int().min(65_536).default(defaultBytesPerSecond) }),
});

const knownCodes = new Map(byeCodes.map((code) => [code as string, code]));
const bye: z.ZodType<Bye> = z
  .object({ code: z.string(), text: z.string().optional() })
  .transform(({ code, text = '' }) => ({ type: 'bye' as const, code: knownCodes.get(code) ?? 'other', text: printable(text).slice(0, 200) }));

const shapes = new Map<string, z.ZodType<Frame>>([...Object.entries(messages), ['hello', hello], ['bye', bye]]);

function shapeOf(type: string): z.ZodType<Frame> | undefined {
  return shapes.get(type);
}

function within(frame: Frame, limits: Pick<CascadeLimits, 'people' | 'tracksPerPerson'>): Decoded {
  if (frame.type === 'person') {
    const kept = withinTracks(frame.person, limits.tracksPerPerson);
    return { frame: { ...frame, person: kept }, leftOut: frame.person.tracks.length - kept.tracks.length };
  }
  if (frame.type === 'people') {
    const people = frame.people.slice(0, limits.people).map((each) => withinTracks(each, limits.tracksPerPerson));
    const count = (list: readonly PeerPerson[]) => list.reduce((sum, { tracks }) => sum + 1 + tracks.length, 0);
    return { frame: { ...frame, people }, leftOut: count(frame.people) - count(people) };
  }
  return { frame, leftOut: 0 };
}

function withinTracks(each: PeerPerson, tracksPerPerson: number): PeerPerson {
  return each.tracks.length <= tracksPerPerson ? each : { ...each, tracks: each.tracks.slice(0, tracksPerPerson) };
}
