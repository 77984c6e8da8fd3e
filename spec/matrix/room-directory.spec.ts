// Owns the proof of what the directory believes when answers and events cross, and when nobody answers.
import assert from 'node:assert/strict';
import type { RoomId, UserId } from '../../src/call/ids.ts';
import { silentLogger } from '../../src/log/logger.ts';
import { decodeEvent } from '../../src/matrix/event-decoder.ts';
import { HomeserverError } from '../../src/matrix/homeserver-error.ts';
import { MatrixRoomDirectory, type MatrixRoomDirectoryOptions } from '../../src/matrix/room-directory.ts';
import { alice, bob, theRoom, userId } from '../support/builders.ts';
import { virtualClock } from '../support/clocks.ts';
import { rawEvent, rawMember } from '../support/matrix-events.ts';

const bot = userId('@visio:interieur.example.org');

/** A homeserver with one room: its truth can be changed, its answers held back or refused. */
function bench() {
  const joined = new Map<UserId, string>([[bot, 'Visio'], [alice, 'Alice'], [bob, 'Bob']]);
  const state = new Map<string, Readonly<Record<string, unknown>>>([['m.room.power_levels', { users: { [alice]: 100 } }], ['m.room.name', { name: 'Salon' }]]);
  const asked: string[] = [];
  let fault: HomeserverError | undefined;
  let gate = Promise.resolve();
  const answer = async <T>(what: string, read: () => T): Promise<T> => {
    asked.push(what);
    // The truth at the time of asking, delivered later.
    const value = read();
    const failing = fault;
    await gate;
    if (failing !== undefined) throw failing;
    return value;
  };
  const client: MatrixRoomDirectoryOptions['client'] = {
    user: bot,
    joinedMembers: () => answer('members', () => new Map(joined)),
    membership: (_room: RoomId, user: UserId) => answer(`member ${user}`, () => (joined.has(user) ? { membership: 'join', displayname: joined.get(user) } : { membership: 'leave' })),
    state: (_room: RoomId, type: string) => answer(type, () => state.get(type)),
    stateEvent: () => answer('create', () => undefined),
  };
  const clock = virtualClock();
  const encrypted = new Set<RoomId>();
  const encryptedRooms = { has: (room: RoomId) => encrypted.has(room), add: (room: RoomId) => void encrypted.add(room) };
  const open = () => new MatrixRoomDirectory({ client, encryptedRooms, clock, log: silentLogger });
  const directory = open();
  const tell = (raw: unknown) => {
    const event = decodeEvent(raw);
    assert.ok(event.ok && event.value !== undefined);
    directory.observe(event.value);
  };
  return {
    joined, state, asked, clock, directory, open, tell,
    fail: (status: number | undefined) => {
      fault = status === undefined ? undefined : status === 0 ? new HomeserverError('no answer', {}) : new HomeserverError(`status ${status}`, { status });
    },
    hold: () => {
      const held = Promise.withResolvers<undefined>();
      gate = held.promise.then(() => undefined);
      return () => {
        gate = Promise.resolve();
        held.resolve(undefined);
      };
    },
    see: async (user: UserId) => {
      const found = await directory.member(theRoom, user);
      return found.ok ? found.value?.displayName : found.error.code;
    },
    leave: (user: UserId) => {
      joined.delete(user);
      tell(rawMember(user, 'leave', { room_id: theRoom }));
    },
    join: (user: UserId, name: string) => {
      joined.set(user, name);
      tell(rawMember(user, 'join', { room_id: theRoom }));
    },
  };
}

describe('the room directory', () => {
  it('reads the members once, whoever asks', async () => {
    const { see, asked } = bench();
    assert.deepEqual(await Promise.all([see(alice), see(bob), see(userId('@eve:x.example'))]), ['Alice', 'Bob', undefined]);
    assert.equal(await see(bob), 'Bob');
    assert.deepEqual(asked, ['members']);
  });

  it('shows who left to be gone at once, and asks about them alone', async () => {
    const { see, leave, asked } = bench();
    await see(bob);
    leave(bob);
    assert.equal(await see(bob), undefined);
    assert.equal(await see(alice), 'Alice');
    assert.deepEqual(asked, ['members', `member ${bob}`]);
  });

  it('does not let an answer that was under way bring back who left meanwhile', async () => {
    const { see, leave, hold } = bench();
    const release = hold();
    const early = see(alice);
    await Promise.resolve();
    leave(bob);
    release();
    await early;
    assert.equal(await see(bob), undefined);
  });

  it('does not let a single answer that was under way bring back who left meanwhile', async () => {
    const { see, leave, join, hold } = bench();
    await see(bob);
    join(bob, 'Robert');
    const release = hold();
    const early = see(bob);
    await Promise.resolve();
    leave(bob);
    release();
    assert.equal(await early, 'Robert');
    assert.equal(await see(bob), undefined);
  });

  it('reads a join and a new name from the homeserver, not from the event', async () => {
    const { see, join, tell, joined } = bench();
    await see(bob);
    join(bob, 'Robert');
    assert.equal(await see(bob), 'Robert');
    joined.delete(bob);
    tell(rawMember(bob, 'join', { room_id: theRoom, content: { membership: 'join', displayname: 'Forged' } }));
    assert.equal(await see(bob), undefined);
  });

  it('keeps out who left while the homeserver cannot be asked, and goes on for the others', async () => {
    const { see, leave, join, fail } = bench();
    await see(bob);
    leave(bob);
    join(alice, 'Alice B.');
    fail(0);
    assert.equal(await see(bob), undefined);
    assert.equal(await see(alice), 'homeserverUnavailable');
    assert.equal(await see(bot), 'Visio');
    fail(undefined);
    assert.deepEqual([await see(bob), await see(alice)], [undefined, 'Alice B.']);
  });

  for (const status of [0, 401, 429, 500, 502]) {
    it(`cannot tell about a room it has not read while the homeserver answers ${status}`, async () => {
      const { see, fail, directory } = bench();
      fail(status);
      assert.equal(await see(alice), 'homeserverUnavailable');
      const levels = await directory.powerLevels(theRoom);
      assert.equal(levels.ok ? '' : levels.error.code, 'homeserverUnavailable');
      assert.equal(await directory.name(theRoom), undefined);
      fail(undefined);
      assert.equal(await see(alice), 'Alice');
    });
  }

  for (const status of [403, 404]) {
    it(`sees nobody where the homeserver answers ${status}, and asks again after a moment`, async () => {
      const { see, fail, asked, clock } = bench();
      fail(status);
      assert.deepEqual([await see(alice), await see(bob), await see(alice)], [undefined, undefined, undefined]);
      assert.equal(asked.length, 1);
      fail(undefined);
      clock.advance(3_000);
      assert.equal(await see(alice), 'Alice');
    });
  }

  it('sees nobody where the answer lacks the bot itself', async () => {
    const { see, joined, directory } = bench();
    joined.delete(bot);
    assert.equal(await see(alice), undefined);
    const levels = await directory.powerLevels(theRoom);
    assert.equal(levels.ok ? '' : levels.error.code, 'forbidden');
  });

  it('forgets everything when the bot is put out, and looks again when it is back', async () => {
    const { see, leave, join, fail } = bench();
    await see(alice);
    leave(bot);
    fail(403);
    assert.equal(await see(alice), undefined);
    fail(undefined);
    join(bot, 'Visio');
    assert.equal(await see(alice), 'Alice');
  });

  it('reads power levels and name once, again after they changed, and keeps no answer that was under way meanwhile', async () => {
    const { directory, state, tell, hold, asked } = bench();
    const level = async () => {
      const levels = await directory.powerLevels(theRoom);
      return levels.ok ? levels.value.users.get(bob) : levels.error.code;
    };
    const change = (to: number) => {
      state.set('m.room.power_levels', { users: { [alice]: 100, [bob]: to } });
      tell(rawEvent({ type: 'm.room.power_levels', state_key: '', content: {}, room_id: theRoom }));
    };
    assert.deepEqual([await level(), await level(), await directory.name(theRoom), await directory.name(theRoom)], [undefined, undefined, 'Salon', 'Salon']);
    assert.deepEqual(asked.filter((what) => what.startsWith('m.room')), ['m.room.power_levels', 'm.room.name']);
    change(50);
    const release = hold();
    const early = level();
    await Promise.resolve();
    change(0);
    release();
    assert.equal(await early, 50);
    assert.equal(await level(), 0);
  });

  const strange: Readonly<Record<string, object>> = {
    'texts for numbers': { users: { [bob]: '50' }, kick: ' 60 ' },
    'nonsense': { users: { [bob]: {}, 'no user': 100 }, kick: 'many', events: 7, users_default: null, state_default: [] },
    'a list of users': { users: [] },
  };
  for (const [what, content] of Object.entries(strange)) {
    it(`survives power levels with ${what}`, async () => {
      const { directory, state } = bench();
      state.set('m.room.power_levels', { ...content });
      const levels = await directory.powerLevels(theRoom);
      assert.ok(levels.ok);
      assert.deepEqual({ bob: levels.value.users.get(bob) ?? 0, kick: levels.value.kick, stateDefault: levels.value.stateDefault }, what === 'texts for numbers' ? { bob: 50, kick: 60, stateDefault: 50 } : { bob: 0, kick: 50, stateDefault: 50 });
    });
  }

  it('knows whether people are left without asking more than it must', async () => {
    const { directory, leave, asked, fail, clock } = bench();
    const people = async () => {
      const found = await directory.hasMember(theRoom, (user) => user !== bot);
      return found.ok ? found.value : found.error.code;
    };
    assert.equal(await people(), true);
    leave(bob);
    assert.equal(await people(), true);
    assert.deepEqual(asked, ['members']);
    leave(alice);
    assert.equal(await people(), false);
    assert.deepEqual(asked, ['members', 'members']);
    leave(bot);
    fail(403);
    assert.equal(await people(), undefined);
    fail(0);
    clock.advance(3_000);
    assert.equal(await people(), 'homeserverUnavailable');
  });

  it('remembers that a room is encrypted, whatever the state says later, over a restart too', async () => {
    const { directory, state, tell, open } = bench();
    assert.equal(await directory.isEncrypted(theRoom), false);
    tell(rawEvent({ type: 'm.room.encryption', state_key: '', content: {}, room_id: theRoom }));
    assert.equal(await directory.isEncrypted(theRoom), true);
    state.delete('m.room.encryption');
    assert.equal(await directory.isEncrypted(theRoom), true);
    assert.deepEqual(await open().encryption(theRoom), { algorithm: 'm.megolm.v1.aes-sha2', rules: { rotationPeriodMs: undefined, rotationPeriodMessages: undefined } });
  });

  it('reads how a room wants to be encrypted, and reads it again when that changes', async () => {
    const { directory, state, tell, asked } = bench();
    const set = (content: Readonly<Record<string, unknown>>) => {
      state.set('m.room.encryption', content);
      tell(rawEvent({ type: 'm.room.encryption', state_key: '', content, room_id: theRoom }));
    };
    assert.equal(await directory.encryption(theRoom), undefined);
    assert.equal(await directory.encryption(theRoom), undefined);
    assert.deepEqual(asked.splice(0), ['m.room.encryption', 'm.room.encryption'], 'what is not encrypted yet is asked each time');
    set({ algorithm: 'm.megolm.v1.aes-sha2', rotation_period_ms: 3_600_000, rotation_period_msgs: 7 });
    const first = { algorithm: 'm.megolm.v1.aes-sha2', rules: { rotationPeriodMs: 3_600_000, rotationPeriodMessages: 7 } };
    assert.deepEqual(await directory.encryption(theRoom), first);
    assert.deepEqual(await directory.encryption(theRoom), first);
    assert.deepEqual(asked, ['m.room.encryption']);
    set({ algorithm: 'm.unheard.of', rotation_period_msgs: 'often' });
    assert.deepEqual(await directory.encryption(theRoom), { algorithm: 'm.unheard.of', rules: { rotationPeriodMs: undefined, rotationPeriodMessages: undefined } });
  });
});
