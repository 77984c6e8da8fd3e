// Specifies the SQLite store: what was saved is there after a reopening, a newer schema is refused, nothing is done twice.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCallStore } from '../../src/store/call-store.ts';
import { openDatabase, StoreError, type Database } from '../../src/store/database.ts';
import { createEventInbox } from '../../src/store/event-inbox.ts';
import { migrations } from '../../src/store/migrations.ts';
import { createOutbox } from '../../src/store/outbox.ts';
import { createRoomStore } from '../../src/store/room-store.ts';
import { createLeaveStore } from '../../src/store/leave-store.ts';
import { createSignInStore } from '../../src/store/sign-in-store.ts';
import { isEventId, parse } from '../../src/call/ids.ts';
import { alice, bob, callAfter, participant, roomId, slug, theRoom } from '../support/builders.ts';

describe('store', () => {
  let folder: string;
  let database: Database;
  const reopen = (): Database => {
    database.close();
    return (database = openDatabase(join(folder, 'viaduc.sqlite')));
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'viaduc-store-'));
    database = openDatabase(join(folder, 'viaduc.sqlite'));
  });
  afterEach(() => {
    database.close();
    rmSync(folder, { recursive: true });
  });

  it('gives a call back after a reopening, with who was in and who had come', () => {
    const left = participant(bob);
    const call = callAfter({ type: 'join', participant: left });
    const store = createCallStore(database);
    store.save(call, []);
    const stays = participant(alice, { name: 'Alice' });
    const later = callAfter({ type: 'join', participant: left }, { type: 'join', participant: stays }, { type: 'leave', participant: left.id, reason: 'clientLeft', nowMs: 9 }, { type: 'noticePosted', eventId: parse(isEventId, '$n', 'event id') });
    store.save(later, []);
    const [restored, ...more] = createCallStore(reopen()).unfinished();
    assert.equal(more.length, 0);
    assert(restored !== undefined);
    assert.deepEqual({ ...restored, participants: [...restored.participants.keys()] }, { ...later, participants: [stays.id] });
    assert.equal(restored.participants.get(stays.id)?.name, 'Alice');
  });

  it('saves the call and its marks together, and forgets a finished call that has nothing left to say', () => {
    const ended = callAfter({ type: 'end', nowMs: 10 });
    const store = createCallStore(database);
    store.save(ended, [{ mark: { kind: 'notice', key: 'n', room: theRoom, callId: ended.id }, dueAtMs: 5 }]);
    const outbox = createOutbox(database);
    assert.equal(store.unfinished().length, 1);
    const [row] = outbox.due(5, 10);
    assert(row !== undefined);
    outbox.done(row);
    assert.equal(store.unfinished().length, 0);
    assert.equal(store.find(ended.id)?.endedAtMs, 10);
  });

  it('keeps what was marked again while it was being delivered', () => {
    const outbox = createOutbox(database);
    const mark = { kind: 'widget' as const, key: 'w', room: theRoom };
    outbox.mark(mark, 100);
    assert.deepEqual(outbox.due(99, 10), []);
    const [row] = outbox.due(100, 10);
    assert(row !== undefined);
    outbox.mark(mark, 200);
    outbox.done(row);
    assert.equal(outbox.depth(), 1);
    const [again] = outbox.due(200, 10);
    assert(again !== undefined);
    outbox.retry(again, 900);
    assert.equal(outbox.nextDueAtMs(), 900);
    const [third] = outbox.due(900, 10);
    assert.equal(third?.attempts, 1);
    outbox.done(third);
    assert.equal(outbox.nextDueAtMs(), undefined);
  });

  it('accepts an event once, over a reopening too, and keeps it until it is done', () => {
    const inbox = createEventInbox(database);
    const id = parse(isEventId, '$e1', 'event id');
    assert.equal(inbox.accept(id, 1, { type: 'm.room.message' }), true);
    assert.equal(inbox.accept(id, 2, { type: 'm.room.message' }), false);
    const after = createEventInbox(reopen());
    assert.deepEqual(after.pending(), [{ eventId: id, receivedAtMs: 1, event: { type: 'm.room.message' } }]);
    after.done(id);
    assert.deepEqual(after.pending(), []);
    assert.equal(after.accept(id, 3, {}), false);
    after.prune(2);
    assert.equal(after.accept(id, 4, {}), true);
  });

  it('moves a page address with its room', () => {
    const rooms = createRoomStore(database);
    const address = slug('abcdefghijklmnopqrst');
    rooms.save({ room: theRoom, slug: address, language: 'fr', widget: 'forbidden' });
    const next = roomId('!next:interieur.example.org');
    rooms.save({ room: next, slug: address, language: 'fr', widget: undefined });
    assert.equal(rooms.byRoom(theRoom), undefined);
    assert.deepEqual(rooms.bySlug(address), { room: next, slug: address, language: 'fr', widget: undefined });
  });

  it('keeps one handed leave for each session, and removes the one that is meant', () => {
    const leaves = createLeaveStore(database);
    const first = { room: theRoom, identity: `${alice}:A`, delayId: 'delay-1', delayMs: 3_600_000 };
    const second = { ...first, delayId: 'delay-2' };
    const other = { ...first, identity: `${alice}:B`, delayId: 'delay-3' };
    for (const leave of [first, second, other]) leaves.put(leave);
    leaves.remove(first);
    assert.deepEqual(leaves.all().toSorted((a, b) => a.identity.localeCompare(b.identity)), [second, other]);
    leaves.remove(second);
    assert.deepEqual(leaves.all(), [other]);
  });

  it('knows a sign-in until it is revoked or has expired, for its own user only', () => {
    const signIns = createSignInStore(database);
    signIns.add('one', alice, 1000);
    assert.equal(signIns.isLive('one', alice, 999), true);
    assert.equal(signIns.isLive('one', bob, 999), false);
    assert.equal(signIns.isLive('one', alice, 1000), false);
    assert.equal(signIns.revoke('one'), true);
    assert.equal(signIns.revoke('one'), false);
    assert.equal(signIns.isLive('one', alice, 0), false);
  });

  it('refuses a newer schema in words and leaves the file alone', () => {
    database.pragma(`user_version = ${migrations.length + 1}`);
    assert.throws(() => reopen(), (error) => error instanceof StoreError && /newer Viaduc/.test(error.message));
    database.close();
    database = openDatabaseRaw(join(folder, 'viaduc.sqlite'));
    assert.equal(database.pragma('user_version', { simple: true }), migrations.length + 1);
  });

  it('says what is wrong with a file that is no database', () => {
    const path = join(folder, 'other.sqlite');
    writeFileSync(path, 'this is not a database, however long it goes on about it'.repeat(100));
    assert.throws(() => openDatabase(path), (error) => error instanceof StoreError && error.message.includes(path));
  });

  it('is closed when it is closed', () => {
    database.close();
    assert.equal(database.open, false);
    assert.throws(() => database.prepare('SELECT 1'));
  });

  function openDatabaseRaw(path: string): Database {
    database.close();
    return new (Object.getPrototypeOf(database) as { constructor: new (path: string) => Database }).constructor(path);
  }
});
