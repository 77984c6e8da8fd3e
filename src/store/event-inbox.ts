// Owns the rows of events taken from the homeserver: each is accepted once, and kept until it is worked through.
import { z } from 'zod';
import { isEventId, parse } from '../call/ids.ts';
import type { EventInbox } from '../control/ports/store.ts';
import type { Database } from './database.ts';

const eventRow = z.strictObject({ event_id: z.string(), received_at_ms: z.number(), event: z.string() });

export function createEventInbox(database: Database): EventInbox {
  const accept = database.prepare('INSERT OR IGNORE INTO events VALUES (?, ?, ?)');
  const pending = database.prepare('SELECT * FROM events WHERE event IS NOT NULL ORDER BY received_at_ms, rowid');
  const done = database.prepare('UPDATE events SET event = NULL WHERE event_id = ?');
  const prune = database.prepare('DELETE FROM events WHERE event IS NULL AND received_at_ms < ?');
  return {
    accept: (eventId, receivedAtMs, event) => accept.run(eventId, receivedAtMs, JSON.stringify(event)).changes === 1,
    pending: () =>
      pending.all().map((row) => {
        const { event_id: eventId, received_at_ms: receivedAtMs, event } = eventRow.parse(row);
        return { eventId: parse(isEventId, eventId, 'event id'), receivedAtMs, event: JSON.parse(event) as unknown };
      }),
    done: (eventId) => {
      done.run(eventId);
    },
    prune: (beforeMs) => {
      prune.run(beforeMs);
    },
  };
}
