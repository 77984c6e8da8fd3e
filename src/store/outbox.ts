// Owns the rows of what is still to be said in rooms.
import { z } from 'zod';
import { isCallId, isRoomId, parse } from '../call/ids.ts';
import type { Outbox, OutboxMark, OutboxRow } from '../control/ports/store.ts';
import type { Database } from './database.ts';

const outboxRow = z.strictObject({
  key: z.string(),
  kind: z.enum(['notice', 'widget', 'message']),
  room: z.string(),
  call_id: z.string().nullable(),
  content: z.string().nullable(),
  revision: z.number(),
  attempts: z.number(),
  due_at_ms: z.number(),
});
const contentOf = z.record(z.string(), z.unknown());

export function createOutbox(database: Database): Outbox {
  const mark = database.prepare(`
    INSERT INTO outbox (key, kind, room, call_id, content, due_at_ms) VALUES (@key, @kind, @room, @callId, @content, @dueAtMs)
    ON CONFLICT (key) DO UPDATE SET content = @content, revision = revision + 1, attempts = 0, due_at_ms = MIN(due_at_ms, @dueAtMs)`);
  const due = database.prepare('SELECT * FROM outbox WHERE due_at_ms <= ? ORDER BY due_at_ms, rowid LIMIT ?');
  const next = database.prepare('SELECT MIN(due_at_ms) FROM outbox').pluck();
  const done = database.prepare('DELETE FROM outbox WHERE key = ? AND revision = ?');
  const retry = database.prepare('UPDATE outbox SET due_at_ms = @dueAtMs, attempts = @attempts WHERE key = @key');
  const depth = database.prepare('SELECT COUNT(*) FROM outbox').pluck();
  return {
    mark: (what, dueAtMs) => {
      mark.run({ key: what.key, kind: what.kind, room: what.room, callId: what.kind === 'notice' ? what.callId : null, content: what.kind === 'message' ? JSON.stringify(what.content) : null, dueAtMs });
    },
    due: (nowMs, limit) => due.all(nowMs, limit).map(read),
    nextDueAtMs: () => z.number().nullable().parse(next.get()) ?? undefined,
    done: ({ mark: { key }, revision }) => {
      done.run(key, revision);
    },
    retry: ({ mark: { key }, attempts }, dueAtMs) => {
      retry.run({ key, dueAtMs, attempts: attempts + 1 });
    },
    defer: ({ mark: { key }, attempts }, dueAtMs) => {
      retry.run({ key, dueAtMs, attempts });
    },
    depth: () => z.number().parse(depth.get()),
  };
}

function read(row: unknown): OutboxRow {
  const { key, kind, room: roomText, call_id: callId, content, revision, attempts, due_at_ms: dueAtMs } = outboxRow.parse(row);
  const room = parse(isRoomId, roomText, 'room id');
  return { mark: readMark(), revision, attempts, dueAtMs };

  function readMark(): OutboxMark {
    if (kind === 'notice') return { kind, key, room, callId: parse(isCallId, callId ?? '', 'call id') };
    if (kind === 'widget') return { kind, key, room };
    return { kind, key, room, content: contentOf.parse(JSON.parse(content ?? '')) };
  }
}
