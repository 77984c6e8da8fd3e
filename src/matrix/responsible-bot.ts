// Owns which bot answers a command in a room where several organisations' bots are: exactly one does.
import { serverOf, type RoomId, type ServerName, type UserId } from '../call/ids.ts';
import type { RoomDirectory } from '../control/ports/room-directory.ts';

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
