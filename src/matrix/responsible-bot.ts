// Owns which bot speaks in a room where several organisations' bots are: one answers a command, and one greets.
import { localpartOf, serverOf, type RoomId, type ServerName, type UserId } from '../call/ids.ts';
import type { RoomDirectory } from '../control/ports/room-directory.ts';
import type { BotClient } from './bot-client.ts';
import { memberContent } from './event-schemas.ts';

/** Other organisations' bots that may be in a room: those of listed neighbours, and where any server may be a neighbour those that are named like ours. */
export type OtherBots = (room: RoomId) => Promise<readonly UserId[]>;

export function otherBots(directory: Pick<RoomDirectory, 'members'>, own: UserId, listed: readonly UserId[], anyNamedLikeOurs: boolean): OtherBots {
  return async (room) => {
    const members = anyNamedLikeOurs ? await directory.members(room) : undefined;
    const alike = members?.ok === true ? members.value.filter((user) => user !== own && localpartOf(user) === localpartOf(own)) : [];
    return [...new Set([...listed, ...alike])];
  };
}

export interface BotsInRoom {
  /** True: it is ours to answer this sender. */
  readonly isOurs: boolean;
  /** No other organisation's bot is in the room. */
  readonly alone: boolean;
}

/**
 * The bot of the sender's own organisation answers; where that has none in the room, the one with the smallest server name.
 * @param own our bot; others: those of the neighbours
 */
export async function botsInRoom(directory: Pick<RoomDirectory, 'member'>, own: UserId, others: readonly UserId[], at: { readonly room: RoomId; readonly sender: UserId }): Promise<BotsInRoom> {
  const present: ServerName[] = [serverOf(own)];
  for (const bot of others) {
    const member = await directory.member(at.room, bot);
    if (member.ok && member.value !== undefined) present.push(serverOf(bot));
  }
  const home = serverOf(at.sender);
  const responsible = present.includes(home) ? home : present.toSorted()[0];
  return { isOurs: responsible === serverOf(own), alone: present.length === 1 };
}

/**
 * No other organisation's bot has joined the room before ours. All bots read the same events, so where several are invited at once one of them is the first.
 * @param own our bot, and when it joined by its event; others: those of the neighbours. @throws HomeserverError
 */
export async function isFirstBot(client: Pick<BotClient, 'stateEvent'>, own: { readonly user: UserId; readonly joinedAtMs: number }, others: readonly UserId[], room: RoomId): Promise<boolean> {
  for (const bot of others) {
    const event = await client.stateEvent(room, 'm.room.member', bot);
    if (event === undefined || memberContent.safeParse(event.content).data?.membership !== 'join') continue;
    const isEarlier = event.origin_server_ts === own.joinedAtMs ? serverOf(bot) < serverOf(own.user) : event.origin_server_ts < own.joinedAtMs;
    if (isEarlier) return false;
  }
  return true;
}
