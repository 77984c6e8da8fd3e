// Owns the rows of calls and their participants.
import { z } from 'zod';
import type { Call } from '../call/call.ts';
import { isCallId, isEventId, isParticipantId, isRoomId, isServerName, isSlug, isUserId, parse, serverOf, type CallId } from '../call/ids.ts';
import type { Participant } from '../call/participant.ts';
import { memberPermissions } from '../call/roles.ts';
import type { CallStore, OutboxMark } from '../control/ports/store.ts';
import type { Database } from './database.ts';
import { createOutbox } from './outbox.ts';

const callRow = z.strictObject({
  id: z.string(),
  room: z.string(),
  slug: z.string(),
  started_by: z.string(),
  start_event: z.string().nullable(),
  started_at_ms: z.number(),
  ended_at_ms: z.number().nullable(),
  empty_since_ms: z.number().nullable(),
  notice_id: z.string().nullable(),
  notice_revision: z.number(),
  owner: z.string().nullable(),
  term: z.number(),
});

const participantRow = z.strictObject({
  id: z.string(),
  identity: z.string(),
  user: z.string(),
  device: z.string(),
  name: z.string(),
  role: z.enum(['participant', 'moderator', 'owner']),
  joined_at_ms: z.number(),
  present: z.number(),
});

export function createCallStore(database: Database): CallStore {
  const outbox = createOutbox(database);
  const saveCall = database.prepare(`
    INSERT INTO calls VALUES (@id, @room, @slug, @startedBy, @startEvent, @startedAtMs, @endedAtMs, @emptySinceMs, @noticeId, @noticeRevision, @owner, @term)
    ON CONFLICT (id) DO UPDATE SET started_by = @startedBy, started_at_ms = @startedAtMs, owner = @owner, term = @term, ended_at_ms = @endedAtMs, empty_since_ms = @emptySinceMs, notice_id = @noticeId, notice_revision = @noticeRevision`);
  const nobodyPresent = database.prepare('UPDATE participants SET present = 0 WHERE call_id = ?');
  const savePresent = database.prepare(`
    INSERT INTO participants VALUES (@callId, @id, @identity, @user, @device, @name, @role, @joinedAtMs, 1)
    ON CONFLICT DO UPDATE SET name = @name, role = @role, present = 1`);
  const unfinished = database.prepare('SELECT * FROM calls WHERE ended_at_ms IS NULL OR id IN (SELECT call_id FROM outbox WHERE call_id IS NOT NULL)');
  const find = database.prepare('SELECT * FROM calls WHERE id = ?');
  const participants = database.prepare('SELECT id, identity, user, device, name, role, joined_at_ms, present FROM participants WHERE call_id = ? ORDER BY joined_at_ms');

  const save = database.transaction((call: Call, marks: readonly { readonly mark: OutboxMark; readonly dueAtMs: number }[]) => {
    saveCall.run({
      id: call.id,
      room: call.room,
      slug: call.slug,
      startedBy: call.startedBy,
      startEvent: call.startEvent ?? null,
      startedAtMs: call.startedAtMs,
      endedAtMs: call.endedAtMs ?? null,
      emptySinceMs: call.emptySinceMs ?? null,
      noticeId: call.noticeId ?? null,
      noticeRevision: call.noticeRevision,
      owner: call.owner ?? null,
      term: call.term,
    });
    nobodyPresent.run(call.id);
    for (const { id, identity, user, device, name, role, joinedAtMs } of call.participants.values()) savePresent.run({ callId: call.id, id, identity, user, device, name, role, joinedAtMs });
    for (const { mark, dueAtMs } of marks) outbox.mark(mark, dueAtMs);
  });

  function read(row: unknown): Call {
    const stored = callRow.parse(row);
    const id = parse(isCallId, stored.id, 'call id');
    const people = participants.all(id).map((each) => participantRow.parse(each)).map((each) => ({ present: each.present === 1, participant: readParticipant(each) }));
    return {
      id,
      room: parse(isRoomId, stored.room, 'room id'),
      slug: parse(isSlug, stored.slug, 'slug'),
      startedBy: parse(isUserId, stored.started_by, 'user id'),
      startEvent: stored.start_event === null ? undefined : parse(isEventId, stored.start_event, 'event id'),
      startedAtMs: stored.started_at_ms,
      endedAtMs: stored.ended_at_ms ?? undefined,
      emptySinceMs: stored.empty_since_ms ?? undefined,
      noticeId: stored.notice_id === null ? undefined : parse(isEventId, stored.notice_id, 'event id'),
      noticeRevision: stored.notice_revision,
      owner: stored.owner === null ? undefined : parse(isServerName, stored.owner, 'server name'),
      term: stored.term,
      impaired: new Set(),
      participants: new Map(people.filter(({ present }) => present).map(({ participant }) => [participant.id, participant])),
      attendance: new Map(people.map(({ participant: { user, server } }) => [user, server])),
    };
  }

  return {
    save: (call, marks) => {
      save.immediate(call, marks);
    },
    unfinished: () => unfinished.all().map(read),
    find: (callId: CallId) => {
      const row = find.get(callId);
      return row === undefined ? undefined : read(row);
    },
  };
}

/** Somebody of a process that ended: there is no connection any more, whatever the row says. */
function readParticipant(row: z.infer<typeof participantRow>): Participant {
  const user = parse(isUserId, row.user, 'user id');
  return {
    id: parse(isParticipantId, row.id, 'participant id'),
    identity: row.identity,
    user,
    server: serverOf(user),
    via: undefined,
    device: row.device,
    name: row.name,
    role: row.role,
    permissions: memberPermissions,
    joinedAtMs: row.joined_at_ms,
    state: 'joining',
    metadata: '',
    attributes: new Map(),
    tracks: new Map(),
    profile: { clientProtocol: 0, capabilities: [] },
    version: 0,
  };
}
