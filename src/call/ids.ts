// Owns the branded identifiers of the domain: a bare string is never an id.

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Matrix room id, `!opaque` or `!opaque:server` (room version 12 has no server part). */
export type RoomId = Branded<'RoomId'>;
/** Matrix user id, `@localpart:server`. */
export type UserId = Branded<'UserId'>;
/** Matrix server name, `host` or `host:port`. */
export type ServerName = Branded<'ServerName'>;
/** Matrix event id, `$opaque`. */
export type EventId = Branded<'EventId'>;
/** One call of a room, from its start to its end. Opaque, unguessable. */
export type CallId = Branded<'CallId'>;
/** One connection of a participant, `PA_…`; a rejoin makes a new one. */
export type ParticipantId = Branded<'ParticipantId'>;
/** One published track, `TR_…`. */
export type TrackId = Branded<'TrackId'>;
/** The unguessable last part of a room's page address, `/c/<slug>`. */
export type Slug = Branded<'Slug'>;

// The grammar of https://spec.matrix.org/v1.16/appendices/#identifier-grammar, historical user ids included.
const host = String.raw`(?:[0-9A-Za-z.-]{1,230}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?`;
const serverNamePattern = new RegExp(`^${host}$`);
const userIdPattern = new RegExp(`^@[\\x21-\\x39\\x3B-\\x7E]{0,254}:${host}$`);
const roomIdPattern = /^![\x21-\x7E]{1,254}$/;
const eventIdPattern = /^\$[\x21-\x7E]{1,254}$/;
const slugPattern = /^[a-z2-7]{16,40}$/;

export function isServerName(text: string): text is ServerName {
  return serverNamePattern.test(text);
}

export function isUserId(text: string): text is UserId {
  return text.length <= 255 && userIdPattern.test(text);
}

export function isRoomId(text: string): text is RoomId {
  return roomIdPattern.test(text);
}

export function isEventId(text: string): text is EventId {
  return eventIdPattern.test(text);
}

export function isSlug(text: string): text is Slug {
  return slugPattern.test(text);
}

export function isCallId(text: string): text is CallId {
  return /^C_[A-Za-z0-9_-]{8,40}$/.test(text);
}

export function isParticipantId(text: string): text is ParticipantId {
  return /^PA_[A-Za-z0-9_-]{4,90}$/.test(text);
}

export function isTrackId(text: string): text is TrackId {
  return /^TR_[A-Za-z0-9_-]{4,90}$/.test(text);
}

/** A track's id as the neighbour chose it whose track it is (docs/protocol/cascade.md §2). */
export function isForeignTrackId(text: string): text is TrackId {
  return /^[A-Za-z0-9_-]{1,64}$/.test(text);
}

/** The one way to turn text from outside into an id: `parse(isUserId, text, 'user id')`. @throws TypeError */
export function parse<Id extends string>(is: (text: string) => text is Id, text: string, what: string): Id {
  if (!is(text)) throw new TypeError(`not a ${what}: ${JSON.stringify(text.slice(0, 80))}`);
  return text;
}

export function serverOf(user: UserId): ServerName {
  return parse(isServerName, user.slice(user.indexOf(':') + 1), 'server name');
}

export function localpartOf(user: UserId): string {
  return user.slice(1, user.indexOf(':'));
}
