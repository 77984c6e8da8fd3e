// Owns the list of shared calls, what is sent on their links, and the count of what was refused.
import type { RoomId, ServerName } from '../../call/ids.ts';
import type { LogKeys, Logger } from '../../log/logger.ts';
import { asError } from '../../util/background.ts';
import { sometimes } from '../../util/sometimes.ts';
import type { LiveCall } from '../live-call.ts';
import type { Clock } from '../ports/clock.ts';
import type { PeerLinks, PeerMessage } from '../ports/peer-links.ts';
import type { Share } from './share.ts';

/** A hostile neighbour must not fill the log: one line in this time, the counts tell the rest. */
const refusalLogMs = 1000;

export class ShareBook {
  readonly #links: PeerLinks;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #shares = new Map<string, Share>();
  readonly #mayLog = new Map<ServerName, () => boolean>();
  readonly #refusals = new Map<ServerName, Map<string, number>>();

  constructor({ links, clock, log }: { readonly links: PeerLinks; readonly clock: Clock; readonly log: Logger }) {
    this.#links = links;
    this.#clock = clock;
    this.#log = log;
  }

  get(peer: ServerName, room: RoomId): Share | undefined {
    return this.#shares.get(keyOf(peer, room));
  }

  all(): readonly Share[] {
    return [...this.#shares.values()];
  }

  of(live: LiveCall): readonly Share[] {
    return this.all().filter((share) => share.live === live);
  }

  with(peer: ServerName): readonly Share[] {
    return this.all().filter((share) => share.peer === peer);
  }

  /** Post: a link to its neighbour is wanted. */
  add(share: Share): void {
    this.#shares.set(keyOf(share.peer, share.room), share);
    this.#wantLinks();
  }

  /** The neighbour is told, if it knew; nothing of the share is left. */
  end(share: Share): void {
    if (share.offered) this.send(share, { type: 'leave', room: share.room });
    share.reset();
    share.cancelDeparture?.();
    this.#shares.delete(keyOf(share.peer, share.room));
    this.#wantLinks();
  }

  /** False: there is no link, or it cannot be said. */
  send(share: Share, message: PeerMessage): boolean {
    try {
      return this.#links.send(share.peer, message);
    } catch (error) {
      this.#log.error('message to a neighbour could not be sent', { peer: share.peer, type: message.type, error: asError(error) });
      return false;
    }
  }

  /** Nothing is told to the neighbour that it does not know: neither that a room exists nor who is in it. */
  refuse(peer: ServerName, what: string, keys: LogKeys): void {
    const counts = this.#refusals.get(peer) ?? new Map<string, number>();
    this.#refusals.set(peer, counts.set(what, (counts.get(what) ?? 0) + 1));
    const mayLog = this.#mayLog.get(peer) ?? sometimes(this.#clock, refusalLogMs);
    this.#mayLog.set(peer, mayLog);
    if (mayLog()) this.#log.warn(`${what} of a neighbour refused`, { peer, ...keys });
  }

  /** Since the start, by what it was. */
  refusals(peer: ServerName): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#refusals.get(peer) ?? []);
  }

  #wantLinks(): void {
    this.#links.want(new Set(this.all().map(({ peer }) => peer)));
  }
}

function keyOf(peer: ServerName, room: RoomId): string {
  return `${peer} ${room}`;
}
