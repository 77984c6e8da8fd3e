// Specifies which of several organisations' bots speaks in a room.
import assert from 'node:assert/strict';
import { isEventId, parse, type UserId } from '../../src/call/ids.ts';
import { botsInRoom, isFirstBot, otherBots } from '../../src/matrix/responsible-bot.ts';
import { ok } from '../../src/util/result.ts';
import { alice, bob, theRoom, userId } from '../support/builders.ts';

const ours = userId('@visio:interieur.example.org');
const finances = userId('@visio:finances.example.org');
const defense = userId('@visio:defense.example.org');

describe('other bots in a room', () => {
  const directory = { members: () => Promise.resolve(ok([alice, ours, finances, userId('@visio2:defense.example.org'), userId('@visio_bridge:defense.example.org')])) };
  it('are those of listed neighbours', async () => assert.deepEqual(await otherBots(directory, ours, [defense], false)(theRoom), [defense]));
  it('are also those named like ours where any server may be a neighbour, each once', async () => {
    assert.deepEqual(await otherBots(directory, ours, [defense, finances], true)(theRoom), [defense, finances]);
    assert.deepEqual(await otherBots(directory, ours, [], true)(theRoom), [finances]);
  });
});

describe('the bot that greets', () => {
  /** Memberships with the time of their event. */
  const client = (rows: readonly (readonly [UserId, string, number])[]) => ({
    stateEvent: (_room: unknown, type: string, key = '') => {
      const row = rows.find(([user]) => type === 'm.room.member' && user === key);
      return Promise.resolve(row && { type, event_id: parse(isEventId, '$e', 'event id'), room_id: theRoom, sender: row[0], state_key: key, origin_server_ts: row[2], content: { membership: row[1] } });
    },
  });
  const rows: readonly (readonly [string, readonly (readonly [UserId, string, number])[], boolean])[] = [
    ['is ours where no other is', [], true],
    ['is ours where another joined later', [[finances, 'join', 101]], true],
    ['is not ours where another joined before', [[finances, 'join', 99]], false],
    ['is not ours where any other joined before', [[finances, 'join', 200], [defense, 'join', 99]], false],
    ['is that of the smaller name where both joined at once', [[finances, 'join', 100]], false],
    ['is ours where another was only invited', [[finances, 'invite', 50]], true],
    ['is ours where another has left', [[finances, 'leave', 50]], true],
    ['is ours where an event makes no sense', [[finances, 'here', 50]], true],
  ];
  for (const [what, others, first] of rows) it(what, async () => assert.equal(await isFirstBot(client(others), { user: ours, joinedAtMs: 100 }, [finances, defense], theRoom), first));

  it('is exactly one of those who join, whoever looks', async () => {
    const joins: readonly (readonly [UserId, string, number])[] = [[ours, 'join', 7], [finances, 'join', 7], [defense, 'join', 7]];
    const greeting = await Promise.all(joins.map(([user, , joinedAtMs]) => isFirstBot(client(joins), { user, joinedAtMs }, joins.flatMap(([other]) => (other === user ? [] : [other])), theRoom)));
    assert.deepEqual(greeting, [false, false, true]);
  });
});

describe('the bot that answers', () => {
  const directory = (...present: readonly UserId[]) => ({ member: (_room: unknown, user: UserId) => Promise.resolve(ok(present.includes(user) ? { user, displayName: '' } : undefined)) });
  it('is that of the sender\'s organisation, or else that of the smallest name; always exactly one', async () => {
    for (const [sender, present, answers] of [[alice, [ours, finances], ours], [bob, [ours, finances], finances], [bob, [ours, defense], defense], [bob, [ours], ours]] as const) {
      const who = await Promise.all(present.map(async (bot) => ((await botsInRoom(directory(...present), bot, present.filter((other) => other !== bot), { room: theRoom, sender })).isOurs ? [bot] : [])));
      assert.deepEqual(who.flat(), [answers]);
    }
  });
});
