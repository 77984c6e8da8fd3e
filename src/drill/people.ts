// Owns the people of a drill: real accounts, one room that all have joined, a call that one of them starts, and their tickets.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { waitFor } from '../demo/check/wait.ts';
import { clientApi, logIn, type ClientApi } from '../demo/homeservers/client-api.ts';
import type { Ground } from './ground.ts';

export interface Person {
  /** `a1`: organisation a, the first of its people. */
  readonly name: string;
  readonly place: number;
  readonly userId: string;
  readonly deviceId: string;
  readonly accessToken: string;
  /** As a reverse proxy tells the bridge; nobody else may ever learn it. */
  readonly address: string;
  readonly api: ClientApi;
}

export interface Ticket {
  readonly url: string;
  readonly jwt: string;
  readonly identity: string;
  /** From the request to the answer. */
  readonly tookMs: number;
}

export interface Notice {
  readonly sender: string;
  readonly body: string;
  readonly state: string;
  readonly url: string;
}

const roomSchema = z.object({ room_id: z.string() });
const messagesSchema = z.object({ chunk: z.array(z.object({ event_id: z.string(), sender: z.string(), content: z.record(z.string(), z.unknown()) })) });
const noticeSchema = z.object({ body: z.string(), 'fr.viaduc.call': z.object({ state: z.string(), url: z.string() }) });
const editSchema = z.object({ 'm.new_content': noticeSchema, 'm.relates_to': z.object({ event_id: z.string() }) });
const membersSchema = z.object({ joined: z.record(z.string(), z.unknown()) });
const tokenSchema = z.object({ access_token: z.string(), token_type: z.string(), matrix_server_name: z.string(), expires_in: z.number() });
const ticketSchema = z.object({ url: z.string(), jwt: z.string(), identity: z.string() });
const powerSchema = z.looseObject({ users: z.record(z.string(), z.number()).default({}) });
const botJoinMs = 40_000;
const noticeMs = 40_000;

/** The accounts of a drill; `counts` says how many each organisation has, `first` where their numbers begin. They are logged in and share a room with all bots. */
export class Party {
  readonly people: readonly Person[];
  readonly roomId: string;
  readonly #ground: Ground;
  /** Where the call of the room is asked for; set by `startCall`. */
  #joinUrl = '';

  static async gather(ground: Ground, counts: readonly number[], { first: firstNumber = 1 }: { readonly first?: number } = {}): Promise<Party> {
    const people = await Promise.all(counts.flatMap((count, place) => Array.from({ length: count }, (_, index) => account(ground, place, index + firstNumber))));
    const [first] = people;
    if (first === undefined) throw new Error('a drill needs people');
    const bots = ground.bridges.map(({ botUserId }) => botUserId);
    const { room_id: roomId } = await first.api.ask({
      method: 'POST',
      path: '/_matrix/client/v3/createRoom',
      body: { preset: 'public_chat', name: 'Drill', power_level_content_override: { users: Object.fromEntries(bots.map((bot) => [bot, 50])) } },
      answer: roomSchema,
    });
    const via = ground.homeserver(first.place).serverName;
    for (const place of counts.keys()) {
      // The first of a homeserver brings the room there; the others then need no other server.
      const [pioneer, ...others] = people.filter((person) => person.place === place && person !== first);
      if (pioneer !== undefined) await join(pioneer, roomId, via);
      await Promise.all(others.map((person) => join(person, roomId, via)));
    }
    for (const bot of bots) await first.api.tell('POST', roomPath(roomId, 'invite'), { user_id: bot });
    await botsJoined(first, roomId, bots);
    return new Party(ground, people, roomId);
  }

  private constructor(ground: Ground, people: readonly Person[], roomId: string) {
    this.#ground = ground;
    this.people = people;
    this.roomId = roomId;
  }

  of(place: number): readonly Person[] {
    return this.people.filter((person) => person.place === place);
  }

  person(name: string): Person {
    const found = this.people.find((each) => each.name === name);
    if (found === undefined) throw new Error(`nobody is called ${name}`);
    return found;
  }

  async say(person: Person, body: string): Promise<void> {
    await person.api.tell('PUT', roomPath(this.roomId, `send/m.room.message/${randomBytes(8).toString('hex')}`), { msgtype: 'm.text', body });
  }

  /** Of somebody in the room; `by` must be its owner. */
  async setPower(by: Person, of: Person, level: number): Promise<void> {
    const path = roomPath(this.roomId, 'state/m.room.power_levels');
    const levels = await by.api.ask({ method: 'GET', path, answer: powerSchema });
    await by.api.tell('PUT', path, { ...levels, users: { ...levels.users, [of.userId]: level } });
  }

  /** A room of one person alone with the bot of the own organisation. */
  async closedRoom(owner: Person): Promise<string> {
    const bot = this.#ground.bridge(owner.place).botUserId;
    const { room_id: roomId } = await owner.api.ask({ method: 'POST', path: '/_matrix/client/v3/createRoom', body: { preset: 'private_chat', invite: [bot] }, answer: roomSchema });
    await botsJoined(owner, roomId, [bot]);
    return roomId;
  }

  /** Post: a bot has answered with the notice of a call that is open. */
  async startCall(by: Person): Promise<void> {
    await this.say(by, '!visio');
    await waitFor('the notice of the call', async () => {
      const open = (await this.notices(by)).find(({ state }) => state === 'open');
      if (open === undefined) return 'none';
      const page = new URL(open.url);
      this.#joinUrl = `${page.origin}/api/calls/${page.pathname.split('/').at(-1) ?? ''}/join`;
      return undefined;
    }, noticeMs);
  }

  /** The notices of calls as they read now, newest first. */
  async notices(reader: Person): Promise<readonly Notice[]> {
    const { chunk } = await reader.api.ask({ method: 'GET', path: roomPath(this.roomId, 'messages?dir=b&limit=100'), answer: messagesSchema });
    const notices = new Map<string, Notice>();
    for (const { event_id: eventId, sender, content } of chunk) {
      const edit = editSchema.safeParse(content).data;
      const shown = edit?.['m.new_content'] ?? noticeSchema.safeParse(content).data;
      const id = edit?.['m.relates_to'].event_id ?? eventId;
      // The newest event comes first: what it says counts.
      if (shown !== undefined && !notices.has(id)) notices.set(id, { sender, body: shown.body, ...shown['fr.viaduc.call'] });
    }
    return [...notices.values()];
  }

  /** At the door in the notice, as the call page asks; the bridge says where to go. @throws naming the refusal */
  async ticket(person: Person, device: string = person.deviceId): Promise<Ticket> {
    const token = await person.api.ask({ method: 'POST', path: `/_matrix/client/v3/user/${encodeURIComponent(person.userId)}/openid/request_token`, body: {}, answer: tokenSchema });
    const startMs = performance.now();
    const response = await fetch(this.#joinUrl, { method: 'POST', headers: { 'content-type': 'application/json', 'x-forwarded-for': person.address, 'user-agent': userAgent }, body: JSON.stringify({ openid_token: token, device_id: device }) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${person.name} is not let in: ${response.status} ${text.slice(0, 200)}`);
    return { ...ticketSchema.parse(JSON.parse(text)), tookMs: performance.now() - startMs };
  }

  /** A ticket of the person's own bridge, as soon as the bridges share the call. */
  async homeTicket(person: Person, device: string = person.deviceId): Promise<Ticket> {
    const home = new URL(this.#ground.bridge(person.place).publicUrl).host;
    for (let attempt = 1; ; attempt += 1) {
      const ticket = await this.ticket(person, device);
      const at = new URL(ticket.url).host;
      if (at === home) return ticket;
      if (attempt === 20) throw new Error(`${person.name} is sent to ${at} instead of ${home}`);
      await sleep(500);
    }
  }
}

/** What the people's own requests say of themselves. */
export const userAgent = 'CanaryAgent/7.31 (DrillOS 4.2)';

async function account(ground: Ground, place: number, number: number): Promise<Person> {
  const homeserver = ground.homeserver(place);
  const name = `${'abcdefgh'[place] ?? 'z'}${number}`;
  const password = randomBytes(12).toString('hex');
  await homeserver.register(name, password, { displayName: `Person ${name}` });
  const deviceId = `CANARY${name.toUpperCase()}${randomBytes(4).toString('hex').toUpperCase()}`;
  const { userId, accessToken } = await logIn(homeserver.api, name, password, deviceId);
  return { name, place, userId, deviceId, accessToken, address: `10.${77 + place}.${number}.${13 + number}`, api: clientApi(homeserver.url, accessToken) };
}

async function botsJoined({ api }: Person, roomId: string, bots: readonly string[]): Promise<void> {
  await waitFor('the bots in the room', async () => {
    const { joined } = await api.ask({ method: 'GET', path: roomPath(roomId, 'joined_members'), answer: membersSchema });
    const missing = bots.filter((bot) => joined[bot] === undefined);
    return missing.length === 0 ? undefined : missing.join(', ');
  }, botJoinMs);
}

async function join({ api }: Person, roomId: string, via: string): Promise<void> {
  await api.tell('POST', `/_matrix/client/v3/join/${encodeURIComponent(roomId)}?via=${encodeURIComponent(via)}`);
}

function roomPath(roomId: string, rest: string): string {
  return `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/${rest}`;
}
