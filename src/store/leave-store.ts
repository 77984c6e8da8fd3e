// Owns the rows of leave events that were handed to us.
import { z } from 'zod';
import { isRoomId, type RoomId } from '../call/ids.ts';
import type { LeaveStore } from '../control/ports/leave-store.ts';
import type { Database } from './database.ts';

const row = z.object({ room: z.custom<RoomId>((value) => typeof value === 'string' && isRoomId(value)), identity: z.string(), delay_id: z.string(), delay_ms: z.number() })
  .transform(({ room, identity, delay_id: delayId, delay_ms: delayMs }) => ({ room, identity, delayId, delayMs }));

export function createLeaveStore(database: Database): LeaveStore {
  const all = database.prepare('SELECT room, identity, delay_id, delay_ms FROM handed_leaves');
  const put = database.prepare('INSERT OR REPLACE INTO handed_leaves (room, identity, delay_id, delay_ms) VALUES (?, ?, ?, ?)');
  const remove = database.prepare('DELETE FROM handed_leaves WHERE room = ? AND identity = ? AND delay_id = ?');
  return {
    all: () => all.all().map((each) => row.parse(each)),
    put: ({ room, identity, delayId, delayMs }) => {
      put.run(room, identity, delayId, delayMs);
    },
    remove: ({ room, identity, delayId }) => {
      remove.run(room, identity, delayId);
    },
  };
}
