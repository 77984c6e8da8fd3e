// Owns how a participant of ours looks to a neighbour, and a neighbour's person to us. Pure.
import { createHash } from 'node:crypto';
import { isParticipantId, isTrackId, serverOf, type ParticipantId, type ServerName, type TrackId } from '../../call/ids.ts';
import { publishedTracks, type Participant } from '../../call/participant.ts';
import type { Permissions, Role } from '../../call/roles.ts';
import type { Track } from '../../call/track.ts';
import type { PeerPerson } from '../ports/peer-links.ts';

/** Somebody of a neighbour has no session here: there is nothing to permit. */
const nothing: Permissions = { mayPublish: false, maySubscribe: false, mayPublishData: false, mayUpdateMetadata: false, sources: [] };

/** What tells a neighbour's ids from ours and from another neighbour's: eight characters, always the same. */
export function tagOf(peer: ServerName): string {
  return createHash('sha256').update(peer).digest('hex').slice(0, 8);
}

/** undefined: the id would be too long to be one of ours. */
export function mirroredPerson(peer: ServerName, id: ParticipantId): ParticipantId | undefined {
  const mirrored = `PA_${tagOf(peer)}_${id.slice(3)}`;
  return isParticipantId(mirrored) ? mirrored : undefined;
}

export function mirroredTrack(peer: ServerName, id: TrackId): TrackId | undefined {
  const mirrored = `TR_${tagOf(peer)}_${id.slice(3)}`;
  return isTrackId(mirrored) ? mirrored : undefined;
}

/** The neighbour's own id of a track that we mirror. */
export function originalTrack(peer: ServerName, mirrored: TrackId): TrackId | undefined {
  const prefix = `TR_${tagOf(peer)}_`;
  const original = `TR_${mirrored.slice(prefix.length)}`;
  return mirrored.startsWith(prefix) && isTrackId(original) ? original : undefined;
}

export function toPeer(participant: Participant, device: number): PeerPerson {
  const { id, user, name, joinedAtMs, state, metadata, attributes } = participant;
  const tracks = publishedTracks(participant).map(({ clientTrackId: _, published: __, ...track }) => track);
  return { id, user, device, name, joinedAtMs, active: state === 'active', metadata, attributes, tracks };
}

export interface Standing {
  readonly role: Role;
  /** The short name of the person's organisation here. */
  readonly label: string;
}

/** undefined: one of its ids cannot be mirrored. The role is what the room says here, whatever the neighbour says. */
export function fromPeer(peer: ServerName, person: PeerPerson, { role, label }: Standing): Participant | undefined {
  const id = mirroredPerson(peer, person.id);
  if (id === undefined) return undefined;
  const tracks = new Map<TrackId, Track>();
  for (const track of person.tracks) {
    const trackId = mirroredTrack(peer, track.id);
    if (trackId !== undefined) tracks.set(trackId, { ...track, id: trackId, clientTrackId: '', published: true });
  }
  const { user, name, joinedAtMs, active, metadata } = person;
  return {
    id,
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
