// Owns the accounts and the room of the demo: made at the first start, found again and mended at later ones.
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { clientApi, type ClientApi, logIn, MatrixError } from './homeservers/client-api.ts';
import type { Homeserver } from './homeservers/homeserver.ts';
import type { Language, Organisation } from './organisations.ts';

interface Person {
  readonly userId: string;
  readonly api: ClientApi;
  readonly serverName: string;
}

const aliasLocalpart = 'coordination';
const roomSchema = z.object({ room_id: z.string() });
const membersSchema = z.object({ chunk: z.array(z.object({ state_key: z.string(), content: z.object({ membership: z.string() }) })) });
const levelsSchema = z.looseObject({ users: z.record(z.string(), z.number()).default({}) });
const botLevel = 50;
const botJoinDeadlineMs = 30_000;
const words = {
  fr: { name: 'Réunion de coordination', topic: (names: string) => `Point hebdomadaire : ${names}` },
  en: { name: 'Coordination meeting', topic: (names: string) => `Weekly review: ${names}` },
};
// Setting some levels replaces the whole list, so that the usual ones are repeated. Anybody may show that they are in a call (MSC3401).
const eventLevels = {
  'm.room.name': 50, 'm.room.topic': 50, 'm.room.avatar': 50, 'm.room.canonical_alias': 50, 'm.room.history_visibility': 100,
  'm.room.power_levels': 100, 'm.room.encryption': 100, 'm.room.server_acl': 100, 'm.room.tombstone': 150,
  'im.vector.modular.widgets': 50, 'org.matrix.msc3401.call.member': 0,
};

/**
 * Post: every organisation's person is in the room, and the bots too, with the power they need.
 * @param homeservers running, in the order of `organisations`; the first one's person owns the room.
 * @returns the room's id.
 */
export async function prepareRoom(homeservers: readonly Homeserver[], organisations: readonly Organisation[], botUserIds: readonly string[], language: Language): Promise<string> {
  const people = await Promise.all(homeservers.map(async (homeserver, index) => prepareAccount(homeserver, organisations[index])));
  const [owner, ...others] = people;
  if (owner === undefined) throw new Error('The demo needs an organisation.');
  const roomId = (await findRoom(owner)) ?? (await createRoom(owner, botUserIds, language, organisations));
  await ensureMember(owner, roomId, { userId: owner.userId, join: () => join(owner, roomId, owner.serverName) });
  await ensurePower(owner, roomId, botUserIds);
  for (const other of others) await ensureMember(owner, roomId, { userId: other.userId, join: () => join(other, roomId, owner.serverName) });
  for (const botUserId of botUserIds) await ensureMember(owner, roomId, { userId: botUserId, join: () => botJoined(owner, roomId, botUserId) });
  return roomId;
}

async function prepareAccount(homeserver: Homeserver, organisation: Organisation | undefined): Promise<Person> {
  if (organisation === undefined) throw new Error(`${homeserver.serverName} belongs to no organisation.`);
  const { localpart, displayName, password } = organisation.person;
  try {
    await homeserver.register(localpart, password, { displayName });
  } catch (error) {
    if (!(error instanceof MatrixError) || error.errcode !== 'M_USER_IN_USE') throw error;
  }
  const { userId, accessToken } = await logIn(homeserver.api, localpart, password, 'DEMOSETUP');
  return { userId, api: clientApi(homeserver.url, accessToken), serverName: homeserver.serverName };
}

async function findRoom({ api, serverName }: Person): Promise<string | undefined> {
  try {
    const { room_id } = await api.ask({ method: 'GET', path: `/_matrix/client/v3/directory/room/${encodeURIComponent(`#${aliasLocalpart}:${serverName}`)}`, answer: roomSchema });
    return room_id;
  } catch (error) {
    if (error instanceof MatrixError && error.status === 404) return undefined;
    throw error;
  }
}

async function createRoom({ api }: Person, botUserIds: readonly string[], language: Language, organisations: readonly Organisation[]): Promise<string> {
  const body = {
    preset: 'private_chat',
    room_alias_name: aliasLocalpart,
    name: words[language].name,
    topic: words[language].topic(organisations.map(({ name }) => name[language]).join(', ')),
    power_level_content_override: { users: Object.fromEntries(botUserIds.map((botUserId) => [botUserId, botLevel])), events: eventLevels },
  };
  const { room_id } = await api.ask({ method: 'POST', path: '/_matrix/client/v3/createRoom', body, answer: roomSchema });
  return room_id;
}

/** A room of an earlier run may know fewer bots. */
async function ensurePower({ api }: Person, roomId: string, botUserIds: readonly string[]): Promise<void> {
  const path = roomPath(roomId, 'state/m.room.power_levels/');
  const levels = await api.ask({ method: 'GET', path, answer: levelsSchema });
  const missing = botUserIds.filter((botUserId) => (levels.users[botUserId] ?? 0) < botLevel);
  if (missing.length === 0) return;
  await api.tell('PUT', path, { ...levels, users: { ...levels.users, ...Object.fromEntries(missing.map((botUserId) => [botUserId, botLevel])) } });
}

/** Somebody who was thrown out while the demo was tried is invited again. */
async function ensureMember(owner: Person, roomId: string, { userId, join }: { readonly userId: string; readonly join: () => Promise<void> }): Promise<void> {
  const membership = await membershipOf(owner, roomId, userId);
  if (membership === 'join') return;
  if (membership === 'ban') await owner.api.tell('POST', roomPath(roomId, 'unban'), { user_id: userId });
  if (membership !== 'invite') await owner.api.tell('POST', roomPath(roomId, 'invite'), { user_id: userId });
  await join();
}

async function membershipOf({ api }: Person, roomId: string, userId: string): Promise<string> {
  const { chunk } = await api.ask({ method: 'GET', path: roomPath(roomId, 'members'), answer: membersSchema });
  return chunk.find(({ state_key }) => state_key === userId)?.content.membership ?? 'leave';
}

async function join({ api }: Person, roomId: string, via: string): Promise<void> {
  await api.tell('POST', `/_matrix/client/v3/join/${encodeURIComponent(roomId)}?via=${encodeURIComponent(via)}`);
}

async function botJoined(owner: Person, roomId: string, botUserId: string): Promise<void> {
  const deadline = Date.now() + botJoinDeadlineMs;
  while ((await membershipOf(owner, roomId, botUserId)) !== 'join') {
    if (Date.now() > deadline) throw new Error(`The bot ${botUserId} has not accepted its invitation after ${String(botJoinDeadlineMs / 1000)} s. Look into the bridge's log.`);
    await sleep(100);
  }
}

function roomPath(roomId: string, rest: string): string {
  return `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/${rest}`;
}
