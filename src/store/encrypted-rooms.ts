// Owns the rows of rooms that have been encrypted once.
import type { EncryptedRooms } from '../control/ports/store.ts';
import type { Database } from './database.ts';

export function createEncryptedRooms(database: Database): EncryptedRooms {
  const find = database.prepare('SELECT 1 FROM encrypted_rooms WHERE room = ?').pluck();
  const add = database.prepare('INSERT OR IGNORE INTO encrypted_rooms VALUES (?)');
  return {
    has: (room) => find.get(room) !== undefined,
    add: (room) => {
      add.run(room);
    },
  };
}
