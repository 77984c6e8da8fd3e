// Owns the reading of a room's power levels, with the creators' powers of every room version.
import type { z } from 'zod';
import { isUserId, type RoomId, type UserId } from '../call/ids.ts';
import type { PowerLevels } from '../call/roles.ts';
import type { BotClient } from './bot-client.ts';
import { createContent, powerLevelsContent } from './event-schemas.ts';

// From room version 12 on creators stand above all levels (MSC4289).
const versionsBefore12 = /^([1-9]|1[01])$/;
const unstableVersion12 = 'org.matrix.hydra.11';

/** @throws HomeserverError */
export async function readPowerLevels(client: Pick<BotClient, 'state' | 'stateEvent'>, room: RoomId): Promise<PowerLevels> {
  const [levels, create] = await Promise.all([client.state(room, 'm.room.power_levels'), client.stateEvent(room, 'm.room.create')]);
  const { room_version: version, additional_creators: more = [] } = createContent.parse(create?.content ?? {});
  const creator = create?.sender;
  const creatorsStandAbove = (/^\d+$/.test(version) && !versionsBefore12.test(version)) || version === unstableVersion12;
  const creators = new Set<UserId>(creatorsStandAbove && creator !== undefined ? [creator, ...more] : []);
  if (levels === undefined) return withoutEvent(creator, creators);
  return { ...fromContent(powerLevelsContent.parse(levels)), creators };
}

function fromContent(content: z.infer<typeof powerLevelsContent>): Omit<PowerLevels, 'creators'> {
  const users = new Map<UserId, number>();
  for (const [user, level] of Object.entries(content.users)) if (isUserId(user)) users.set(user, level);
  return { users, usersDefault: content.users_default, stateDefault: content.state_default, kick: content.kick, events: new Map(Object.entries(content.events)) };
}

/** A room without the event: its creator has level 100, and anybody may set state. */
function withoutEvent(creator: UserId | undefined, creators: ReadonlySet<UserId>): PowerLevels {
  return { users: new Map(creator === undefined ? [] : [[creator, 100]]), usersDefault: 0, stateDefault: 0, kick: 50, events: new Map(), creators };
}
