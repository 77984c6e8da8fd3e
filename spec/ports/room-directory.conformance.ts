// Owns what every RoomDirectory must do, whatever is behind it.
import assert from 'node:assert/strict';
import type { RoomId, UserId } from '../../src/call/ids.ts';
import { powerOf } from '../../src/call/roles.ts';
import type { RoomDirectory } from '../../src/control/ports/room-directory.ts';
import { eventually } from '../support/eventually.ts';

export interface RoomDirectoryStage {
  readonly directory: RoomDirectory;
  readonly owner: UserId;
  readonly guest: UserId;
  /** A room with the owner and the bot; the guest is invited. */
  readonly room: () => Promise<RoomId>;
  /** A room that the owner is in and the bot is not. */
  readonly roomWithoutBot: () => Promise<RoomId>;
  readonly join: (room: RoomId) => Promise<void>;
  readonly kick: (room: RoomId) => Promise<void>;
  readonly setGuestLevel: (room: RoomId, level: number) => Promise<void>;
  /** While `work` runs, the homeserver does not answer. */
  readonly whileDown: (work: () => Promise<void>) => Promise<void>;
}

export function roomDirectoryConformance(stage: () => RoomDirectoryStage): void {
  const see = async (room: RoomId, user: UserId) => {
    const found = await stage().directory.member(room, user);
    return found.ok ? found.value?.user : found.error.code;
  };
  const level = async (room: RoomId) => {
    const levels = await stage().directory.powerLevels(room);
    return levels.ok ? powerOf(stage().guest, levels.value) : levels.error.code;
  };

  it('shows who is joined, with a name of one line', async () => {
    const { directory, owner, room } = stage();
    const where = await room();
    const found = await directory.member(where, owner);
    assert.ok(found.ok && found.value !== undefined);
    assert.equal(found.value.user, owner);
    assert.match(found.value.displayName, /^[^\p{Cc}]*$/u);
  });

  it('takes an invitation for no membership, sees a join and, at once, a kick', async () => {
    const { guest, room, join, kick } = stage();
    const where = await room();
    assert.equal(await see(where, guest), undefined);
    await join(where);
    await eventually(async () => ((await see(where, guest)) === guest ? undefined : 'the join'));
    await kick(where);
    await eventually(async () => ((await see(where, guest)) === undefined ? undefined : 'the kick'), 2_000);
  });

  it('lists who is joined, now', async () => {
    const { directory, owner, guest, room, join, kick } = stage();
    const where = await room();
    const lists = async (user: UserId): Promise<boolean> => {
      const members = await directory.members(where);
      assert.ok(members.ok);
      assert.ok(members.value.includes(owner));
      return members.value.includes(user);
    };
    assert.equal(await lists(guest), false);
    await join(where);
    await eventually(async () => ((await lists(guest)) ? undefined : 'the join'));
    await kick(where);
    await eventually(async () => ((await lists(guest)) ? 'the kick' : undefined), 2_000);
  });

  it('sees nobody and no levels in a room without the bot', async () => {
    const { directory, owner, roomWithoutBot } = stage();
    const where = await roomWithoutBot();
    assert.deepEqual(await directory.members(where), { ok: true, value: [] });
    assert.equal(await see(where, owner), undefined);
    assert.equal(await level(where), 'forbidden');
  });

  it('gives the power levels of now', async () => {
    const { room, setGuestLevel } = stage();
    const where = await room();
    assert.equal(await level(where), 0);
    await setGuestLevel(where, 50);
    await eventually(async () => ((await level(where)) === 50 ? undefined : 'the new level'), 2_000);
  });

  it('says that it cannot know when the homeserver does not answer', async () => {
    const { owner, roomWithoutBot, whileDown } = stage();
    const unread = await roomWithoutBot();
    await whileDown(async () => {
      assert.equal(await see(unread, owner), 'homeserverUnavailable');
      assert.equal(await level(unread), 'homeserverUnavailable');
    });
  });
}
