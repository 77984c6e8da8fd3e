// Owns what stands in the composer's place for somebody who is not in the room: why, and the way back if invited.
import { nameOf, type Room } from '../matrix/room.ts';
import type { RoomClient } from '../matrix/room-client.ts';
import { timelineItems } from '../matrix/timeline-items.ts';
import { usePage } from './page-context.ts';

export function Gone({ client, room }: { readonly client: RoomClient; readonly room: Room }) {
  const { words } = usePage();
  const last = timelineItems(room).findLast((item) => item.kind === 'change' && (item.change === 'kicked' || item.change === 'banned'));
  const by = last?.kind === 'change' ? nameOf(room, last.by) : undefined;
  return (
    <div className="gone" role="status" data-testid="gone">
      <p>{by === undefined ? words.gone : words.goneBy(by)}</p>
      {room.membership === 'invite' && <button type="button" className="main-button" data-testid="accept-button" onClick={() => void client.join()}>{words.acceptInvitation}</button>}
    </div>
  );
}
