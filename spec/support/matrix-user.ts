// Owns a person of the specs: a small Matrix client that syncs all the time and can be asked to wait for an event.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { clientApi, type ClientApi, logIn, MatrixError, type MatrixSession } from '../../src/demo/homeservers/client-api.ts';
import type { Homeserver } from '../../src/demo/homeservers/homeserver.ts';

const eventSchema = z.object({
  type: z.string(),
  event_id: z.string().optional(),
  sender: z.string(),
  state_key: z.string().optional(),
  origin_server_ts: z.number().optional(),
  content: z.record(z.string(), z.unknown()),
});
const eventsSchema = z.object({ events: z.array(eventSchema) }).optional();
const syncSchema = z.object({
  next_batch: z.string(),
  rooms: z
    .object({
      join: z.record(z.string(), z.object({ state: eventsSchema, timeline: eventsSchema })).optional(),
      invite: z.record(z.string(), z.object({ invite_state: eventsSchema })).optional(),
      leave: z.record(z.string(), z.object({ state: eventsSchema, timeline: eventsSchema })).optional(),
    })
    .optional(),
});
const roomSchema = z.object({ room_id: z.string() });
const sentSchema = z.object({ event_id: z.string() });
const recordSchema = z.record(z.string(), z.unknown());
const openIdSchema = z.object({ access_token: z.string(), token_type: z.string(), matrix_server_name: z.string(), expires_in: z.number() });

/** An event as this person's homeserver tells it. `event_id` is empty for the stripped state of an invitation. */
export interface SeenEvent {
  readonly roomId: string;
  /** What the room is to this person when the event comes. */
  readonly section: 'join' | 'invite' | 'leave';
  readonly type: string;
  readonly eventId: string;
  readonly sender: string;
  readonly stateKey: string | undefined;
  readonly timestampMs: number | undefined;
  readonly content: Readonly<Record<string, unknown>>;
}

type Test = (event: SeenEvent) => boolean;
export type OpenIdToken = z.infer<typeof openIdSchema>;

const waitMs = 15_000;
const path = {
  room: (roomId: string, rest: string) => `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/${rest}`,
  state: (roomId: string, type: string, key: string) => path.room(roomId, `state/${encodeURIComponent(type)}/${encodeURIComponent(key)}`),
};

export class MatrixUser implements AsyncDisposable {
  readonly userId: string;
  readonly deviceId: string;
  readonly accessToken: string;
  readonly #api: ClientApi;
  readonly #seen: SeenEvent[] = [];
  readonly #waiters = new Set<(event: SeenEvent) => void>();
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;

  /** Makes an account, logs in and starts to sync. */
  static async register(homeserver: Homeserver, localpart: string, options: { readonly admin?: boolean; readonly deviceId?: string } = {}): Promise<MatrixUser> {
    const password = `password of ${localpart}`;
    await homeserver.register(localpart, password, { admin: options.admin ?? false });
    const session = await logIn(homeserver.api, localpart, password, options.deviceId ?? localpart.toUpperCase());
    const user = new MatrixUser(homeserver.url, session);
    await user.#first;
    return user;
  }

  /** Settles when the first answer to /sync has come: waiters hear of everything after that. */
  readonly #first: Promise<undefined>;

  constructor(homeserverUrl: string, session: MatrixSession) {
    this.userId = session.userId;
    this.deviceId = session.deviceId;
    this.accessToken = session.accessToken;
    this.#api = clientApi(homeserverUrl, session.accessToken);
    const first = Promise.withResolvers<undefined>();
    this.#first = first.promise;
    this.#loop = this.#sync(() => first.resolve(undefined));
  }

  /** A room, by default private. Answers its id. */
  async createRoom(options: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const { room_id } = await this.#api.ask({ method: 'POST', path: '/_matrix/client/v3/createRoom', body: { preset: 'private_chat', ...options }, answer: roomSchema });
    return room_id;
  }

  async invite(roomId: string, userId: string): Promise<void> {
    await this.#api.tell('POST', path.room(roomId, 'invite'), { user_id: userId });
  }

  /** @param via server names that know the room, when the own homeserver does not. */
  async join(roomId: string, ...via: string[]): Promise<void> {
    await this.#api.tell('POST', `/_matrix/client/v3/join/${encodeURIComponent(roomId)}?${new URLSearchParams(via.map((name): [string, string] => ['via', name])).toString()}`);
  }

  async leave(roomId: string): Promise<void> {
    await this.#api.tell('POST', path.room(roomId, 'leave'));
  }

  async kick(roomId: string, userId: string, reason?: string): Promise<void> {
    await this.#api.tell('POST', path.room(roomId, 'kick'), { user_id: userId, ...(reason !== undefined && { reason }) });
  }

  async ban(roomId: string, userId: string): Promise<void> {
    await this.#api.tell('POST', path.room(roomId, 'ban'), { user_id: userId });
  }

  /** An ordinary text message. Answers its event id. */
  async say(roomId: string, body: string): Promise<string> {
    return this.send(roomId, 'm.room.message', { msgtype: 'm.text', body });
  }

  async send(roomId: string, type: string, content: Readonly<Record<string, unknown>>): Promise<string> {
    const { event_id } = await this.#api.ask({ method: 'PUT', path: path.room(roomId, `send/${encodeURIComponent(type)}/${randomUUID()}`), body: content, answer: sentSchema });
    return event_id;
  }

  async setState(roomId: string, type: string, stateKey: string, content: Readonly<Record<string, unknown>>): Promise<string> {
    const { event_id } = await this.#api.ask({ method: 'PUT', path: path.state(roomId, type, stateKey), body: content, answer: sentSchema });
    return event_id;
  }

  /** The content of a state event now; undefined when there is none. */
  async state(roomId: string, type: string, stateKey = ''): Promise<Readonly<Record<string, unknown>> | undefined> {
    try {
      return await this.#api.ask({ method: 'GET', path: path.state(roomId, type, stateKey), answer: recordSchema });
    } catch (error) {
      if (error instanceof MatrixError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** Sets one person's power level and leaves the others'. */
  async setPowerLevel(roomId: string, userId: string, level: number): Promise<void> {
    const levels = (await this.state(roomId, 'm.room.power_levels')) ?? {};
    const users = recordSchema.safeParse(levels['users']).data ?? {};
    await this.setState(roomId, 'm.room.power_levels', '', { ...levels, users: { ...users, [userId]: level } });
  }

  async openIdToken(): Promise<OpenIdToken> {
    return this.#api.ask({ method: 'POST', path: `/_matrix/client/v3/user/${encodeURIComponent(this.userId)}/openid/request_token`, body: {}, answer: openIdSchema });
  }

  /** All that this person has been told so far, oldest first. */
  seen(test: Test = () => true): readonly SeenEvent[] {
    return this.#seen.filter(test);
  }

  /** The next event that fits. Create the waiter, act, then await it: what came before does not count. */
  async next(what: string, test: Test, timeoutMs = waitMs): Promise<SeenEvent> {
    const { promise, resolve, reject } = Promise.withResolvers<SeenEvent>();
    const waiter = (event: SeenEvent): void => {
      if (test(event)) resolve(event);
    };
    const timer = setTimeout(() => reject(new Error(`${this.userId} was not told of ${what} within ${String(timeoutMs / 1000)} s.`)), timeoutMs);
    this.#waiters.add(waiter);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(waiter);
    }
  }

  /** The first event that fits, whether it has come already or not. */
  async find(what: string, test: Test, timeoutMs = waitMs): Promise<SeenEvent> {
    return this.#seen.find(test) ?? (await this.next(what, test, timeoutMs));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#loop;
  }

  /** Goes on through restarts of the homeserver: any failure is tried again from the same place. */
  async #sync(first: () => void): Promise<void> {
    const { signal } = this.#stop;
    const filter = JSON.stringify({ presence: { not_types: ['*'] }, room: { timeline: { limit: 200 }, include_leave: true } });
    let since = '';
    while (!signal.aborted) {
      try {
        const query = new URLSearchParams({ filter, timeout: since === '' ? '0' : '20000', ...(since !== '' && { since }) });
        const answer = await this.#api.ask({ method: 'GET', path: `/_matrix/client/v3/sync?${query.toString()}`, answer: syncSchema, signal });
        this.#take(answer);
        since = answer.next_batch;
        first();
      } catch (error) {
        if (error instanceof z.ZodError) throw error;
        await sleep(100);
      }
    }
  }

  #take({ rooms }: z.infer<typeof syncSchema>): void {
    for (const [roomId, { invite_state }] of Object.entries(rooms?.invite ?? {})) this.#tell(roomId, 'invite', invite_state);
    for (const section of ['join', 'leave'] as const) {
      for (const [roomId, { state, timeline }] of Object.entries(rooms?.[section] ?? {})) {
        this.#tell(roomId, section, state);
        this.#tell(roomId, section, timeline);
      }
    }
  }

  #tell(roomId: string, section: SeenEvent['section'], list: z.infer<typeof eventsSchema>): void {
    for (const { type, event_id = '', sender, state_key, origin_server_ts, content } of list?.events ?? []) {
      const event: SeenEvent = { roomId, section, type, eventId: event_id, sender, stateKey: state_key, timestampMs: origin_server_ts, content };
      this.#seen.push(event);
      for (const waiter of this.#waiters) waiter(event);
    }
  }
}
