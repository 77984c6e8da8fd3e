// Owns every request to our homeserver: as the bot, from its device, with deadlines and one kind of error.
import { randomUUID } from 'node:crypto';
import { LogService, MatrixClient, MemoryStorageProvider } from 'matrix-bot-sdk';
import { z } from 'zod';
import { isEventId, isRoomId, type EventId, type RoomId, type ServerName, type UserId } from '../call/ids.ts';
import type { Logger, Secret } from '../log/logger.ts';
import { asHomeserverError, HomeserverError } from './homeserver-error.ts';
import { memberContent, roomEvent, type RoomEvent } from './event-schemas.ts';

export interface BotClientOptions {
  /** Client-server API of our homeserver, without a trailing path. */
  readonly url: string;
  readonly asToken: Secret<string>;
  readonly user: UserId;
  /** Requests from a device keep their transaction ids over a restart of Synapse (MSC4326). */
  readonly device: string;
  readonly log: Logger;
}

export type Content = Readonly<Record<string, unknown>>;

const timeoutMs = { read: 8_000, write: 20_000, join: 90_000, federation: 10_000 };
const client = '/_matrix/client/v3';

/** Every method rejects with HomeserverError, nothing else. */
export class BotClient {
  readonly user: UserId;
  readonly #sdk: MatrixClient;
  readonly #device: string;
  readonly #log: Logger;
  /** Settles when the homeserver knows the device; undefined: it was not told yet. */
  #deviceKnown: Promise<void> | undefined;

  constructor({ url, asToken, user, device, log }: BotClientOptions) {
    this.user = user;
    this.#device = device;
    this.#log = log;
    muteSdk();
    this.#sdk = new MatrixClient(url, asToken.reveal(), new MemoryStorageProvider());
    this.#sdk.impersonateUserId(user);
  }

  /** Post: user, device and display name exist; idempotent. */
  async ensureUser(displayName: string): Promise<void> {
    const localpart = this.user.slice(1, this.user.indexOf(':'));
    try {
      await this.#request('POST', `${client}/register`, { body: { type: 'm.login.application_service', username: localpart, inhibit_login: true }, asDevice: false });
      this.#log.info('bot user registered', { user: this.user });
    } catch (error) {
      if (!(error instanceof HomeserverError) || error.errcode !== 'M_USER_IN_USE') throw error;
    }
    const path = `${client}/profile/${encodeURIComponent(this.user)}/displayname`;
    const profile = await this.#ask(z.object({ displayname: z.string().nullish() }), 'GET', path).catch((error: unknown) => ifMissing(error, { displayname: undefined }));
    if (profile.displayname !== displayName) await this.#request('PUT', path, { body: { displayname: displayName } });
  }

  /** Asks the homeserver to call our listener now; ends a back-off after downtime (MSC2659). @returns how long it took */
  async ping(appserviceId: string): Promise<number> {
    const path = `/_matrix/client/v1/appservice/${encodeURIComponent(appserviceId)}/ping`;
    const answer = await this.#ask(z.object({ duration_ms: z.number() }), 'POST', path, { body: { transaction_id: randomUUID() }, asDevice: false, timeoutMs: timeoutMs.write });
    return answer.duration_ms;
  }

  /** Post: repeated with the same txnId, the event exists once. */
  async send(room: RoomId, type: string, txnId: string, content: Content): Promise<EventId> {
    const answer = await this.#ask(eventIdAnswer, 'PUT', `${roomPath(room)}/send/${encodeURIComponent(type)}/${encodeURIComponent(txnId)}`, { body: content, timeoutMs: timeoutMs.write });
    return answer.event_id;
  }

  async setState(room: RoomId, type: string, stateKey: string, content: Content): Promise<EventId> {
    const answer = await this.#ask(eventIdAnswer, 'PUT', `${roomPath(room)}/state/${encodeURIComponent(type)}/${encodeURIComponent(stateKey)}`, { body: content, timeoutMs: timeoutMs.write });
    return answer.event_id;
  }

  /** Content of a state event; undefined: the room has none. */
  async state(room: RoomId, type: string, stateKey = ''): Promise<Content | undefined> {
    return await this.#ask(z.record(z.string(), z.unknown()), 'GET', `${roomPath(room)}/state/${encodeURIComponent(type)}/${encodeURIComponent(stateKey)}`).catch((error: unknown) => ifMissing(error, undefined));
  }

  /** The whole state event, for its sender; undefined: the room has none. */
  async stateEvent(room: RoomId, type: string, stateKey = ''): Promise<RoomEvent | undefined> {
    const path = `${roomPath(room)}/state/${encodeURIComponent(type)}/${encodeURIComponent(stateKey)}`;
    const answer = await this.#request('GET', path, { query: { format: 'event' } }).catch((error: unknown) => ifMissing(error, undefined));
    if (answer === undefined) return undefined;
    const event = roomEvent.safeParse(answer);
    if (event.success) return event.data;
    // A homeserver that does not know the parameter answers with the content only.
    const all = await this.#ask(z.array(z.unknown()), 'GET', `${roomPath(room)}/state`);
    return all.flatMap((item) => roomEvent.safeParse(item).data ?? []).find((item) => item.type === type && item.state_key === stateKey);
  }

  /** Joined members with the display name that the room's state gives. */
  async joinedMembers(room: RoomId): Promise<ReadonlyMap<string, string>> {
    const answer = await this.#ask(joinedMembers, 'GET', `${roomPath(room)}/joined_members`);
    return new Map(Object.entries(answer.joined).map(([user, profile]) => [user, profile.display_name ?? '']));
  }

  async invitedMembers(room: RoomId): Promise<readonly string[]> {
    const answer = await this.#ask(z.object({ chunk: z.array(z.object({ state_key: z.string() })) }), 'GET', `${roomPath(room)}/members`, { query: { membership: 'invite' } });
    return answer.chunk.map((event) => event.state_key);
  }

  /** Membership of one user; undefined: the room has never seen them. */
  async membership(room: RoomId, user: UserId): Promise<z.infer<typeof memberContent> | undefined> {
    return await this.#ask(memberContent, 'GET', `${roomPath(room)}/state/m.room.member/${encodeURIComponent(user)}`).catch((error: unknown) => ifMissing(error, undefined));
  }

  async joinedRooms(): Promise<readonly RoomId[]> {
    const answer = await this.#ask(z.object({ joined_rooms: z.array(z.string()) }), 'GET', `${client}/joined_rooms`);
    return answer.joined_rooms.filter(isRoomId);
  }

  async join(room: RoomId, via: ServerName, reason?: string): Promise<void> {
    await this.#request('POST', `${client}/join/${encodeURIComponent(room)}`, { query: { server_name: [via], via: [via] }, body: reason === undefined ? {} : { reason }, timeoutMs: timeoutMs.join });
  }

  async leave(room: RoomId, reason: string): Promise<void> {
    await this.#request('POST', `${roomPath(room)}/leave`, { body: { reason }, timeoutMs: timeoutMs.write });
  }

  /** What a user has left with the homeserver, to be sent after a delay (MSC4140): whoever knows its id may do this. */
  async delayedEvent(delayId: string, action: 'restart' | 'send'): Promise<void> {
    await this.#request('POST', `/_matrix/client/unstable/org.matrix.msc4140/delayed_events/${encodeURIComponent(delayId)}/${action}`, { body: {}, asDevice: false });
  }

  /** Proves to others that they speak to this user, for as long as `expiresInMs`. */
  async openIdToken(): Promise<{ readonly accessToken: string; readonly expiresInMs: number }> {
    const path = `${client}/user/${encodeURIComponent(this.user)}/openid/request_token`;
    const { access_token: accessToken, expires_in: seconds } = await this.#ask(openIdAnswer, 'POST', path, { body: {}, asDevice: false });
    return { accessToken, expiresInMs: seconds * 1000 };
  }

  /** A POST to another homeserver that ours signs and carries (MSC4512). The answer is the other's, whatever its status. */
  async throughFederation(destination: ServerName, path: string, body: Content): Promise<{ readonly status: number; readonly content: unknown }> {
    const request = { destination, method: 'POST', path, body };
    return await this.#ask(federationAnswer, 'POST', '/_matrix/client/unstable/io.element.msc4512/appservice/fed_proxy', { body: request, timeoutMs: timeoutMs.federation, asDevice: false });
  }

  async #knowDevice(): Promise<void> {
    this.#deviceKnown ??= this.#makeDevice();
    try {
      await this.#deviceKnown;
    } catch (error) {
      this.#deviceKnown = undefined;
      throw error;
    }
  }

  async #makeDevice(): Promise<void> {
    const name = 'Viaduc';
    try {
      await this.#request('PUT', `${client}/devices/${encodeURIComponent(this.#device)}`, { body: { display_name: name }, asDevice: false });
    } catch (error) {
      // Before MSC4190 a device came by login only.
      if (!(error instanceof HomeserverError) || error.status !== 404) throw error;
      const identifier = { type: 'm.id.user', user: this.user };
      await this.#request('POST', `${client}/login`, { body: { type: 'm.login.application_service', identifier, device_id: this.#device, initial_device_display_name: name }, asDevice: false });
    }
  }

  async #ask<T>(schema: z.ZodType<T>, method: Method, path: string, request?: RequestOptions): Promise<T> {
    const answer = schema.safeParse(await this.#request(method, path, request));
    if (!answer.success) throw new HomeserverError(`${method} ${path}: the answer makes no sense: ${answer.error.message}`, { cause: answer.error });
    return answer.data;
  }

  async #request(method: Method, path: string, request: RequestOptions = {}): Promise<unknown> {
    const { query, body, asDevice = true, isRetry = false } = request;
    try {
      if (asDevice) await this.#knowDevice();
      // The SDK would name the device by an unstable parameter, which Synapse ignores.
      return await this.#sdk.doRequest(method, path, { ...query, ...(asDevice && { device_id: this.#device }) }, body, request.timeoutMs ?? timeoutMs.read);
    } catch (thrown) {
      const error = asHomeserverError(thrown, `${method} ${path}`);
      if (error.errcode !== 'M_UNKNOWN_DEVICE' || !asDevice || isRetry) throw error;
      this.#log.warn('the device of the bot had been deleted: made anew', { user: this.user, device: this.#device });
      this.#deviceKnown = undefined;
      return await this.#request(method, path, { ...request, isRetry: true });
    }
  }
}

type Method = 'GET' | 'POST' | 'PUT';

interface RequestOptions {
  readonly query?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Content;
  readonly timeoutMs?: number;
  readonly asDevice?: boolean;
  readonly isRetry?: boolean;
}

const eventIdAnswer = z.object({ event_id: z.string().refine(isEventId, 'not an event id') });
const federationAnswer = z.object({ status: z.int().min(100).max(599), content: z.unknown() });
const openIdAnswer = z.object({ access_token: z.string().min(1), expires_in: z.number().min(0) });
const joinedMembers = z.object({ joined: z.record(z.string(), z.object({ display_name: z.string().nullish() })) });

function roomPath(room: RoomId): string {
  return `${client}/rooms/${encodeURIComponent(room)}`;
}

/** The value where the homeserver knows of no such thing. */
function ifMissing<T>(error: unknown, value: T): T {
  if (error instanceof HomeserverError && error.status === 404 && error.errcode === 'M_NOT_FOUND') return value;
  throw error;
}

/** The SDK prints every failed request to the console; ours are logged where they matter. */
function muteSdk(): void {
  const silent = () => undefined;
  LogService.setLogger({ info: silent, warn: silent, error: silent, debug: silent, trace: silent });
}
