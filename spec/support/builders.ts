// Owns builders of domain values with defaults: a spec names only what it is about.
import { startCall, type Call, type Transition } from '../../src/call/call.ts';
import { transition } from '../../src/call/transition.ts';
import { isCallId, isParticipantId, isRoomId, isServerName, isSlug, isTrackId, isUserId, parse, serverOf, type CallId, type ParticipantId, type RoomId, type ServerName, type Slug, type TrackId, type UserId } from '../../src/call/ids.ts';
import type { CallInput } from '../../src/call/messages.ts';
import type { Participant } from '../../src/call/participant.ts';
import { memberPermissions, type PowerLevels } from '../../src/call/roles.ts';
import type { CallRules } from '../../src/call/rules.ts';
import type { Track } from '../../src/call/track.ts';

export const userId = (text: string): UserId => parse(isUserId, text, 'user id');
export const roomId = (text: string): RoomId => parse(isRoomId, text, 'room id');
export const serverName = (text: string): ServerName => parse(isServerName, text, 'server name');
export const slug = (text: string): Slug => parse(isSlug, text, 'slug');
export const callId = (text: string): CallId => parse(isCallId, text, 'call id');
export const participantId = (text: string): ParticipantId => parse(isParticipantId, text, 'participant id');
export const trackId = (text: string): TrackId => parse(isTrackId, text, 'track id');

export const alice = userId('@alice:interieur.example.org');
export const bob = userId('@bob:finances.example.org');
export const carol = userId('@carol:interieur.example.org');
export const theRoom = roomId('!room:interieur.example.org');

export const rules: CallRules = { startLevel: 0, maxParticipants: 10, maxTracksPerParticipant: 4, neverJoinedTimeoutMs: 300_000, emptyTimeoutMs: 60_000, lostGraceMs: 30_000 };

export const powerLevels = (levels: Partial<Omit<PowerLevels, 'users'>> & { readonly users?: readonly (readonly [UserId, number])[] } = {}): PowerLevels => ({
  usersDefault: 0,
  stateDefault: 50,
  kick: 50,
  events: new Map([['m.room.power_levels', 100]]),
  creators: new Set(),
  ...levels,
  users: new Map(levels.users ?? []),
});

let count = 0;

export function participant(user: UserId = alice, change: Partial<Participant> = {}): Participant {
  const device = change.device ?? 'DEVICE';
  return {
    id: participantId(`PA_${String(++count).padStart(8, '0')}`),
    identity: `${user}:${device}`,
    user,
    server: serverOf(user),
    via: undefined,
    device,
    name: user,
    role: 'participant',
    permissions: memberPermissions,
    joinedAtMs: 1000,
    state: 'joining',
    metadata: '',
    attributes: new Map(),
    tracks: new Map(),
    profile: { clientProtocol: 0, capabilities: [] },
    version: 1,
    ...change,
  };
}

export function track(change: Partial<Track> = {}): Track {
  return {
    id: trackId(`TR_${String(++count).padStart(8, '0')}`),
    clientTrackId: 'client-track',
    kind: 'video',
    source: 'camera',
    name: 'camera',
    stream: 'camera',
    muted: false,
    width: 1280,
    height: 720,
    layers: [],
    encryption: 'none',
    audioFeatures: [],
    published: false,
    ...change,
  };
}

export function started(): Transition {
  return startCall({ id: callId('C_abcdefgh'), room: theRoom, slug: slug('abcdefghijklmnopqrst'), startedBy: alice, startEvent: undefined, startedAtMs: 0, owner: undefined, emptySinceMs: 0 });
}

/** The call after these inputs, all of which must be taken. @throws if one is refused */
export function callAfter(...inputs: readonly CallInput[]): Call {
  let { call } = started();
  for (const input of inputs) {
    const result = transition(call, input, rules);
    if (!result.ok) throw new Error(`${input.type} was refused: ${result.error.code}`);
    ({ call } = result.value);
  }
  return call;
}
