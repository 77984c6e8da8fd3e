// Owns people in their seats: joining a call with a browser, and waiting until all see and hear each other.
import { waitFor } from '../demo/check/wait.ts';
import type { Browsers, Published, Seat, View } from './browser.ts';
import type { Party, Person } from './people.ts';

export interface Guest {
  readonly person: Person;
  readonly seat: Seat;
  readonly identity: string;
}

export interface Arrival {
  readonly person: Person;
  /** Default: the person's own. */
  readonly device?: string;
  readonly page: string;
  readonly publish?: Published;
  /** The key of end-to-end encryption. */
  readonly secret?: string;
}

/** At the person's own bridge. */
export async function seatGuest(party: Party, browsers: Browsers, { person, device, page, publish, secret }: Arrival): Promise<Guest> {
  const seat = await browsers.seat(page);
  const ticket = await party.homeTicket(person, device);
  await seat.connect(ticket, { show: false, ...(secret !== undefined && { secret }) });
  if (publish !== undefined) await seat.publish(publish);
  return { person, seat, identity: ticket.identity };
}

/** A small picture and a sound of its own. */
export function smallPicture(index: number): Published {
  return { video: { width: 320, height: 180, framesPerSecond: 10, maxBitrate: 150_000 }, frequency: 220 + 40 * index };
}

/** Tracks of others that bring packets, `others` people with `tracks` each. @throws saying what is missing */
export async function awaitMedia(guests: readonly Guest[], { others, tracks, timeoutMs = 60_000 }: { readonly others: number; readonly tracks: number; readonly timeoutMs?: number }): Promise<void> {
  await waitFor('media everywhere', async () => {
    for (const { seat, person } of guests) {
      const { remote } = await seat.view();
      const flowing = remote.flatMap((each) => each.tracks).filter(({ packets }) => packets > 20).length;
      if (remote.length !== others || flowing < others * tracks) return `${person.name} has ${remote.length} others and ${flowing} of ${others * tracks} tracks`;
    }
    return undefined;
  }, timeoutMs);
}

/** Packets received in all tracks of a view. */
export function packetsOf({ remote }: View): number {
  return remote.flatMap(({ tracks }) => tracks).reduce((total, { packets }) => total + packets, 0);
}

/** Who is there, by user id, sorted, oneself included. */
export function rosterOf(guest: Guest, view: View): readonly string[] {
  return [guest.person.userId, ...view.remote.map(({ attributes, identity }) => attributes['user_id'] ?? identity)].toSorted();
}
