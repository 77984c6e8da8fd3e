// Owns how a participant of ours looks to a neighbour, and a neighbour's person to us. Pure.
import { createHash } from 'node:crypto';
import { isForeignTrackId, isParticipantId, isTrackId, parse, serverOf, type ParticipantId, type ServerName, type TrackId } from '../../call/ids.ts';
import { publishedTracks, type Participant } from '../../call/participant.ts';
import type { Permissions, Role } from '../../call/roles.ts';
import type { Track } from '../../call/track.ts';
import type { PeerPerson } from '../ports/peer-links.ts';

/** Somebody of a neighbour has no session here: there is nothing to permit. */
const nothing: Permissions = { mayPublish: false, maySubscribe: false, mayPublishData: false, mayUpdateMetadata: false, sources: [] };

/** What tells a neighbour's ids from ours and from another neighbour's: eight characters, always the same. */
function tagOf(peer: ServerName): string {
  return createHash('sha256').update(peer).digest('hex').slice(0, 8);
}

/** A neighbour chooses its ids as it likes: ours of its people carry its tag, so that none is that of somebody else. */
export function mirroredPerson(peer: ServerName, id: ParticipantId): ParticipantId {
  return parse(isParticipantId, `PA_${tagOf(peer)}_${id}`, 'participant id');
}

export function mirroredTrack(peer: ServerName, id: TrackId): TrackId {
  return parse(isTrackId, `TR_${tagOf(peer)}_${id}`, 'track id');
}

/** The neighbour's own id of a track that we mirror. */
export function originalTrack(peer: ServerName, mirrored: TrackId): TrackId | undefined {
  const prefix = `TR_${tagOf(peer)}_`;
  const original = mirrored.slice(prefix.length);
  return mirrored.startsWith(prefix) && isForeignTrackId(original) ? original : undefined;
}

export function toPeer(participant: Participant, device: number): PeerPerson {
  const { id, user, name, joinedAtMs, state, metadata, attributes } = participant;
  const tracks = publishedTracks(participant).map(({ clientTrackId: _, published: __, ...track }) => track);
  return { id, user, device, name, joinedAtMs, active: state === 'active', ...(state === 'lost' && { awaited: true }), metadata, attributes, tracks };
}

export interface Standing {
  readonly role: Role;
  /** The short name of the person's organisation here. */
  readonly label: string;
}

/** The role is what the room says here, whatever the neighbour says. */
export function fromPeer(peer: ServerName, person: PeerPerson, { role, label }: Standing): Participant {
  const tracks = new Map<TrackId, Track>();
  for (const track of person.tracks) {
    const id = mirroredTrack(peer, track.id);
    tracks.set(id, { ...track, id, clientTrackId: '', published: true });
  }
  const { user, name, joinedAtMs, active, metadata } = person;
  return {
    id: mirroredPerson(peer, person.id),
    via: peer,
    // A device that somebody claims at one of our doors has no space in it: no session of ours can have this identity.
    identity: `${user}: ${tagOf(peer)}.${person.device}`,
    user,
    server: serverOf(user),
    device: '',
    name: name === '' ? user : name,
    role,
    permissions: nothing,
    joinedAtMs,
    state: active ? 'active' : 'joining',
    metadata,
    attributes: new Map([...person.attributes, ['user_id', user], ['organisation', label]]),
    tracks,
    profile: { clientProtocol: 0, capabilities: [] },
    version: 1,
  };
}
