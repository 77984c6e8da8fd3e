// Owns which page of a call somebody gets: that of their own organisation's bridge, where it shares the call.
import { isSlug, isUserId, serverOf, type RoomId, type ServerName } from '../../call/ids.ts';
import { allowedAddresses } from '../../util/pinned-lookup.ts';
import type { RoomBook } from '../room-book.ts';
import type { PeerDesk } from './peer-desk.ts';

export interface HomePages {
  /** The address of the page that this user's own bridge has for the call; undefined: ours serves them. Texts as they came in a request. */
  homeOf(slug: string, user: string): string | undefined;
  /** Origins of the neighbours' pages that may show ours of this call to our people. */
  framedBy(slug: string): readonly string[];
}

/** Who has no neighbours serves everybody. */
export const onlyOurs: HomePages = { homeOf: () => undefined, framedBy: () => [] };

export interface HomePagesOptions {
  readonly server: ServerName;
  readonly rooms: Pick<RoomBook, 'bySlug'>;
  readonly peers: Pick<PeerDesk, 'pageOf' | 'pagesOf'>;
}

/** Who a user is, is only claimed here: the answer is the same for all of one organisation, and lets nobody in. */
export function createHomePages({ server, rooms, peers }: HomePagesOptions): HomePages {
  const roomOf = (slug: string): RoomId | undefined => (isSlug(slug) ? rooms.bySlug(slug)?.room : undefined);
  return {
    homeOf: (slug, user) => {
      const home = isUserId(user) ? serverOf(user) : server;
      const room = home === server ? undefined : roomOf(slug);
      return room === undefined ? undefined : peers.pageOf(room, home);
    },
    framedBy: (slug) => {
      const room = roomOf(slug);
      return room === undefined ? [] : peers.pagesOf(room).map(({ url }) => new URL(url).origin);
    },
  };
}

const lookupMs = 5000;

/** People are sent over https; over http only into networks that the operator lists. @param lists whether an IP address is in one */
export async function mayLeadTo(page: string, lists: (address: string) => boolean): Promise<boolean> {
  const { protocol, hostname } = new URL(page);
  if (protocol === 'https:') return true;
  const found = await allowedAddresses({ host: hostname.replace(/^\[|\]$/g, ''), policy: { allows: lists }, signal: AbortSignal.timeout(lookupMs) });
  return protocol === 'http:' && found.ok;
}
