// Owns who may read an encrypted message: the room's members at this moment, as the homeserver tells them now.
import { isUserId, type RoomId, type UserId } from '../call/ids.ts';
import type { BotClient } from './bot-client.ts';
import { visibilityContent } from './event-schemas.ts';

/**
 * Joined people; and who is invited, where the room lets them read from their invitation on.
 * Never from memory: who has left must not read what follows. @throws HomeserverError
 */
export async function audienceOf(client: Pick<BotClient, 'joinedMembers' | 'invitedMembers' | 'state'>, room: RoomId): Promise<readonly UserId[]> {
  const [joined, visibility] = await Promise.all([client.joinedMembers(room), client.state(room, 'm.room.history_visibility')]);
  const isForInvited = visibilityContent.parse(visibility ?? {}).history_visibility !== 'joined';
  const invited = isForInvited ? await client.invitedMembers(room) : [];
  return [...new Set([...joined.keys(), ...invited])].filter(isUserId);
}
