// Owns what the bridge knows of rooms: read from the homeserver once, kept true by events, closed when in doubt.
import { isUserId, type RoomId, type UserId } from '../call/ids.ts';
import { callError, type CallError } from '../call/errors.ts';
import type { PowerLevels } from '../call/roles.ts';
import type { Clock } from '../control/ports/clock.ts';
import type { RoomDirectory, RoomMember } from '../control/ports/room-directory.ts';
import type { EncryptedRooms } from '../control/ports/store.ts';
import type { Logger } from '../log/logger.ts';
import { err, ok, type Result } from '../util/result.ts';
import type { BotClient } from './bot-client.ts';
import type { MatrixEvent } from './event-decoder.ts';
import type { RoomRules } from './encryption/orders.ts';
import { encryptionContent, megolm, nameContent } from './event-schemas.ts';
import { HomeserverError } from './homeserver-error.ts';
import { readPowerLevels } from './power-levels.ts';
import { oneLine } from './text.ts';

export interface MatrixRoomDirectoryOptions {
  readonly client: Pick<BotClient, 'user' | 'joinedMembers' | 'membership' | 'state' | 'stateEvent'>;
  readonly encryptedRooms: EncryptedRooms;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How a room is encrypted. */
export interface RoomEncryption {
  readonly algorithm: string;
  readonly rules: RoomRules;
}

/** A value read on demand, forgotten when an event says that it changed. */
interface Kept<T> {
  readonly value: T;
}

/** The membership changed since it was read. */
interface Doubt {
  /** Left or was put out: stays out while the homeserver cannot be asked. */
  readonly gone: boolean;
}

interface Room {
  /** Undefined until read. What it says of people in `doubts` is not to be believed. */
  members: ReadonlyMap<UserId, RoomMember> | undefined;
  readonly doubts: Map<UserId, Doubt>;
  loading: Promise<ReadonlyMap<UserId, RoomMember>> | undefined;
  levels: Kept<PowerLevels> | undefined;
  name: Kept<string | undefined> | undefined;
  encryption: Kept<RoomEncryption> | undefined;
  /** An event has said so, whatever the state says by the time it is asked. */
  sawEncryption: boolean;
  /** Grows with every change of state: an answer that was asked for before one is used once and not kept. */
  revision: number;
}

const absenceKeptMs = 3_000;
const maxAbsences = 1_000;

export class MatrixRoomDirectory implements RoomDirectory {
  readonly #client: MatrixRoomDirectoryOptions['client'];
  readonly #encryptedRooms: EncryptedRooms;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #rooms = new Map<RoomId, Room>();
  /** Rooms that the bot was found not to be in, and until when that is believed without asking. */
  readonly #absences = new Map<RoomId, number>();

  constructor({ client, encryptedRooms, clock, log }: MatrixRoomDirectoryOptions) {
    this.#client = client;
    this.#encryptedRooms = encryptedRooms;
    this.#clock = clock;
    this.#log = log;
  }

  async member(room: RoomId, user: UserId): Promise<Result<RoomMember | undefined, CallError>> {
    return await this.#answer(room, undefined, async () => {
      const state = this.#room(room);
      const members = state.members ?? (await this.#loadMembers(room, state));
      const doubt = state.doubts.get(user);
      return doubt === undefined ? members.get(user) : await this.#readMember(room, state, user, doubt);
    });
  }

  /** Asks the homeserver only when what is known does not tell. */
  async hasMember(room: RoomId, counts: (user: UserId) => boolean): Promise<Result<boolean | undefined, CallError>> {
    return await this.#answer<boolean | undefined>(room, undefined, async () => {
      const state = this.#room(room);
      const isSure = (user: UserId) => !state.doubts.has(user) && counts(user);
      if (state.members?.keys().some(isSure) === true) return true;
      const members = await this.#loadMembers(room, state);
      return members.keys().some(counts);
    });
  }

  async members(room: RoomId): Promise<Result<readonly UserId[], CallError>> {
    return await this.#answer<readonly UserId[]>(room, [], async () => {
      const state = this.#room(room);
      const members = state.doubts.size === 0 && state.members !== undefined ? state.members : await this.#loadMembers(room, state);
      return [...members.keys()];
    });
  }

  async powerLevels(room: RoomId): Promise<Result<PowerLevels, CallError>> {
    const levels = await this.#answer(room, undefined, async () => {
      const state = this.#room(room);
      const { revision } = state;
      if (state.levels !== undefined) return state.levels.value;
      // A homeserver shows old state of rooms that the bot has left; their members it does not.
      if (state.members === undefined) await this.#loadMembers(room, state);
      const value = await readPowerLevels(this.#client, room);
      if (state.revision === revision) state.levels = { value };
      return value;
    });
    if (!levels.ok) return levels;
    return levels.value === undefined ? err(callError('forbidden', `the bot is not in ${room}`)) : ok(levels.value);
  }

  async name(room: RoomId): Promise<string | undefined> {
    const name = await this.#answer(room, undefined, async () => {
      const state = this.#room(room);
      const { revision } = state;
      if (state.name !== undefined) return state.name.value;
      const content = await this.#client.state(room, 'm.room.name');
      const text = oneLine(nameContent.safeParse(content).data?.name ?? '');
      const value = text === '' ? undefined : text;
      if (state.revision === revision) state.name = { value };
      return value;
    });
    return name.ok ? name.value : undefined;
  }

  /** Once encrypted, always encrypted. @throws HomeserverError */
  async isEncrypted(room: RoomId): Promise<boolean> {
    return this.#encryptedRooms.has(room) || (await this.encryption(room)) !== undefined;
  }

  /** Without asking: the room was found to be encrypted before. */
  wasEncrypted(room: RoomId): boolean {
    return this.#encryptedRooms.has(room);
  }

  /** How messages to the room must be encrypted; undefined: the room is not encrypted and never was. @throws HomeserverError */
  async encryption(room: RoomId): Promise<RoomEncryption | undefined> {
    const state = this.#room(room);
    const { revision } = state;
    if (state.encryption !== undefined) return state.encryption.value;
    const content = await this.#client.state(room, 'm.room.encryption');
    const isStored = this.#encryptedRooms.has(room);
    const value = content === undefined && !isStored && !state.sawEncryption ? undefined : encryptionOf(content ?? { algorithm: megolm });
    // Not kept: what is said in the moment before the event comes must not be in clear.
    if (value === undefined) return undefined;
    if (!isStored) this.#encryptedRooms.add(room);
    if (state.revision === revision) state.encryption = { value };
    return value;
  }

  /** Takes an event into account at once. Memory only. */
  observe(event: MatrixEvent): void {
    if (event.type === 'member') this.#absences.delete(event.room);
    const state = this.#rooms.get(event.room);
    if (state === undefined) return;
    if (event.type !== 'message' && event.type !== 'encrypted') state.revision += 1;
    switch (event.type) {
      case 'member':
        if (event.user === this.#client.user) this.#rooms.delete(event.room);
        else state.doubts.set(event.user, { gone: event.membership !== 'join' });
        break;
      case 'powerLevels':
        state.levels = undefined;
        break;
      case 'name':
        state.name = undefined;
        break;
      case 'encryption':
        state.encryption = undefined;
        state.sawEncryption = true;
        break;
      case 'message':
      case 'encrypted':
      case 'tombstone':
        break;
      default:
        event satisfies never;
    }
  }

  #room(room: RoomId): Room {
    const known = this.#rooms.get(room);
    if (known !== undefined) return known;
    const fresh: Room = { members: undefined, doubts: new Map(), loading: undefined, levels: undefined, name: undefined, encryption: undefined, sawEncryption: false, revision: 0 };
    this.#rooms.set(room, fresh);
    return fresh;
  }

  async #loadMembers(room: RoomId, state: Room): Promise<ReadonlyMap<UserId, RoomMember>> {
    state.loading ??= this.#requestMembers(room, state).finally(() => {
      state.loading = undefined;
    });
    return await state.loading;
  }

  async #requestMembers(room: RoomId, state: Room): Promise<ReadonlyMap<UserId, RoomMember>> {
    const before = [...state.doubts];
    const joined = await this.#client.joinedMembers(room);
    if (!joined.has(this.#client.user)) throw new HomeserverError(`the bot is not in ${room}`, { status: 403 });
    const members = new Map<UserId, RoomMember>();
    for (const [user, displayName] of joined) if (isUserId(user)) members.set(user, { user, displayName: oneLine(displayName) });
    // Doubts from before are settled now; those that came while the answer was under way are not.
    for (const [user, doubt] of before) if (state.doubts.get(user) === doubt) state.doubts.delete(user);
    state.members = members;
    return members;
  }

  async #readMember(room: RoomId, state: Room, user: UserId, doubt: Doubt): Promise<RoomMember | undefined> {
    let content: Awaited<ReturnType<BotClient['membership']>>;
    try {
      content = await this.#client.membership(room, user);
    } catch (error) {
      if (doubt.gone && error instanceof HomeserverError && error.isTransient) return undefined;
      throw error;
    }
    const member = content?.membership === 'join' ? { user, displayName: oneLine(content.displayname ?? '') } : undefined;
    if (state.doubts.get(user) !== doubt) return member;
    const members = new Map(state.members);
    if (member === undefined) members.delete(user);
    else members.set(user, member);
    state.members = members;
    state.doubts.delete(user);
    return member;
  }

  /** Turns what the homeserver answered into the port's terms: `absent` for a room that the bot is not in. */
  async #answer<T>(room: RoomId, absent: T, read: () => Promise<T>): Promise<Result<T, CallError>> {
    const believedUntilMs = this.#absences.get(room);
    if (believedUntilMs !== undefined && believedUntilMs > this.#clock.nowMs()) return ok(absent);
    try {
      return ok(await read());
    } catch (error) {
      if (!(error instanceof HomeserverError)) throw error;
      if (error.isForbidden) {
        this.#rememberAbsence(room);
        return ok(absent);
      }
      this.#log.warn('room could not be read', { room, detail: error.message });
      return err(callError('homeserverUnavailable', error.message, error.retryAfterMs ?? 5_000));
    }
  }

  #rememberAbsence(room: RoomId): void {
    this.#rooms.delete(room);
    if (this.#absences.size >= maxAbsences) this.#absences.clear();
    this.#absences.set(room, this.#clock.nowMs() + absenceKeptMs);
  }
}

function encryptionOf(content: unknown): RoomEncryption {
  const { algorithm, rotation_period_ms: rotationPeriodMs, rotation_period_msgs: rotationPeriodMessages } = encryptionContent.parse(content);
  return { algorithm, rules: { rotationPeriodMs, rotationPeriodMessages } };
}
