// Owns sending people home: a ticket of their own organisation's bridge for somebody who came to our door, and the reverse.
import { serverOf, type RoomId, type ServerName, type UserId } from '../../call/ids.ts';
import type { Logger } from '../../log/logger.ts';
import { background } from '../../util/background.ts';
import { identityIn } from '../admission.ts';
import type { CallRegistry } from '../call-registry.ts';
import type { Clock } from '../ports/clock.ts';
import type { PeerLinks, PeerMessage } from '../ports/peer-links.ts';
import type { RoomDirectory } from '../ports/room-directory.ts';
import type { Tickets } from '../ports/tickets.ts';

export interface HomeTicket {
  readonly url: string;
  readonly ticket: string;
}

export interface ForeignTicketsOptions {
  readonly server: ServerName;
  readonly links: PeerLinks;
  readonly calls: Pick<CallRegistry, 'inRoom'>;
  readonly directory: RoomDirectory;
  readonly tickets: Tickets;
  /** Stands for a device id across the border: always the same for the same one, and tells nothing of it. */
  readonly aliasOf: (device: string) => string;
  /** Where our own clients open their signalling. */
  readonly liveKitUrl: string;
  readonly clock: Clock;
  readonly log: Logger;
}

type Message<Type extends PeerMessage['type']> = Extract<PeerMessage, { type: Type }>;

/** docs/protocol/cascade.md §2.7. */
const answerMs = 1000;

export class ForeignTickets {
  readonly #options: ForeignTicketsOptions;
  readonly #asked = new Map<number, { readonly peer: ServerName; readonly resolve: (answer: HomeTicket | undefined) => void }>();
  #requests = 0;

  constructor(options: ForeignTicketsOptions) {
    this.#options = options;
  }

  /** Tells a device from the person's others across the border, always the same way. */
  deviceNumber(device: string): number {
    return Buffer.from(this.#options.aliasOf(device), 'base64url').readUInt32BE();
  }

  /** undefined: their bridge did not answer in time or will not have them; let them in here. */
  async ask(room: RoomId, user: UserId, device: string): Promise<HomeTicket | undefined> {
    const { links, clock, aliasOf } = this.#options;
    const request = ++this.#requests;
    const { promise, resolve } = Promise.withResolvers<HomeTicket | undefined>();
    const cancel = clock.after(answerMs, () => {
      resolve(undefined);
    });
    this.#asked.set(request, { peer: serverOf(user), resolve });
    if (!links.send(serverOf(user), { type: 'ticket', request, room, user, device: aliasOf(device) })) resolve(undefined);
    const answer = await promise;
    this.#asked.delete(request);
    cancel();
    return answer;
  }

  received(peer: ServerName, message: Message<'ticket' | 'ticketAnswer'>): void {
    if (message.type === 'ticket') {
      background(this.#options.log, 'answer a neighbour that asks for a ticket', this.#answer(peer, message));
      return;
    }
    const asked = this.#asked.get(message.request);
    if (asked?.peer === peer) asked.resolve('ticket' in message.answer ? message.answer : undefined);
  }

  async #answer(peer: ServerName, { request, room, user, device }: Message<'ticket'>): Promise<void> {
    const { server, links, calls, directory, tickets, liveKitUrl, log } = this.#options;
    const call = calls.inRoom(room)?.call;
    const identity = serverOf(user) === server && call !== undefined ? await identityIn(directory, room, user, device) : undefined;
    if (call === undefined || identity?.ok !== true) {
      log.info('ticket for a neighbour refused', { peer, room, user });
      links.send(peer, { type: 'ticketAnswer', request, answer: { code: 'forbidden' } });
      return;
    }
    links.send(peer, { type: 'ticketAnswer', request, answer: { url: liveKitUrl, ticket: await tickets.mint(call.id, identity.value) } });
  }
}
