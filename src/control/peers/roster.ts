// Owns the people on both sides of a border: how ours are announced, and whom of a neighbour's we take.
import type { CloseReason } from '../../call/close-reason.ts';
import { serverOf, type ParticipantId, type ServerName } from '../../call/ids.ts';
import type { Participant } from '../../call/participant.ts';
import { roleOf } from '../../call/roles.ts';
import type { Clock } from '../ports/clock.ts';
import type { PeerLinks, PeerPerson } from '../ports/peer-links.ts';
import type { RoomDirectory } from '../ports/room-directory.ts';
import type { ParticipantsChange } from '../ports/session.ts';
import type { ShareBook } from './share-book.ts';
import type { Share } from './share.ts';
import { fromPeer, mirroredPerson, toPeer } from './translate.ts';

export interface RosterOptions {
  readonly server: ServerName;
  readonly links: Pick<PeerLinks, 'isNeighbour'>;
  readonly shares: ShareBook;
  readonly directory: RoomDirectory;
  readonly clock: Clock;
  readonly labelOf: (server: ServerName) => string;
  /** Stands for a device over there. */
  readonly deviceNumber: (device: string) => number;
}

export class Roster {
  readonly #options: RosterOptions;

  constructor(options: RosterOptions) {
    this.#options = options;
  }

  /** Everybody of ours, awaited or not: replaces what was announced before. */
  announce(share: Share): void {
    // Of those who are awaited since a restart, neighbours' people are not ours to announce: they have no device.
    const people = [...share.live.call.participants.values()].filter((participant) => isOurs(participant) && participant.device !== '');
    this.#options.shares.send(share, { type: 'people', room: share.room, people: people.map((participant) => this.#toPeer(participant)) });
  }

  tell(share: Share, { changed, left }: Omit<ParticipantsChange, 'count'>): void {
    const { shares } = this.#options;
    for (const participant of changed.filter(isOurs)) shares.send(share, { type: 'person', room: share.room, person: this.#toPeer(participant) });
    for (const { participant, reason } of left) if (isOurs(participant)) shares.send(share, { type: 'gone', room: share.room, id: participant.id, reason });
  }

  async announced(share: Share, people: readonly PeerPerson[]): Promise<void> {
    const participants: Participant[] = [];
    for (const person of people) if (this.#counts(share, person)) participants.push(...(await this.#admit(share, person)));
    await this.#replace(share, participants);
  }

  async changed(share: Share, person: PeerPerson): Promise<void> {
    if (!this.#counts(share, person)) return;
    for (const participant of await this.#admit(share, person)) {
      const taken = await share.live.apply({ type: 'peerPerson', peer: share.peer, participant });
      if (!taken.ok) this.#options.shares.refuse(share.peer, 'person', { code: taken.error.code });
    }
  }

  async gone(share: Share, id: ParticipantId, reason: CloseReason): Promise<void> {
    await share.live.apply({ type: 'peerGone', peer: share.peer, participant: mirroredPerson(share.peer, id), reason, nowMs: this.#options.clock.nowMs() });
  }

  /** Post: nobody of the neighbour is in the call. */
  async clear(share: Share): Promise<void> {
    await this.#replace(share, []);
  }

  async #replace(share: Share, participants: readonly Participant[]): Promise<void> {
    await share.live.apply({ type: 'peerPeople', peer: share.peer, participants, nowMs: this.#options.clock.nowMs() });
  }

  /** A person whom this neighbour may announce: its own, or hosted for a server without a bridge; joined in the room as we see it. */
  async #admit(share: Share, person: PeerPerson): Promise<Participant[]> {
    const { server, links, directory, labelOf, shares } = this.#options;
    const home = serverOf(person.user);
    const mayAnnounce = home === share.peer || (home !== server && !links.isNeighbour(home));
    const member = mayAnnounce ? await directory.member(share.room, person.user) : undefined;
    const levels = await directory.powerLevels(share.room);
    if (member?.ok !== true || member.value === undefined || !levels.ok) {
      shares.refuse(share.peer, 'person', { user: person.user });
      return [];
    }
    return [fromPeer(share.peer, person, { role: roleOf(person.user, levels.value), label: labelOf(home) })];
  }

  /** Who is awaited over there keeps a place here, but gets none. */
  #counts({ peer, live }: Share, { id, awaited }: PeerPerson): boolean {
    return awaited !== true || live.call.participants.get(mirroredPerson(peer, id))?.via === peer;
  }

  #toPeer(participant: Participant): PeerPerson {
    return toPeer(participant, this.#options.deviceNumber(participant.device));
  }
}

function isOurs({ via }: Participant): boolean {
  return via === undefined;
}
