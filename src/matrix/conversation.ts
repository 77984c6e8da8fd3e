// Owns what people say to the bot, in clear or encrypted: a command is answered once, by the bot that it is for.
import type { RoomId, UserId } from '../call/ids.ts';
import type { Clock } from '../control/ports/clock.ts';
import type { RoomCommands } from '../control/ports/room-commands.ts';
import type { RoomDirectory } from '../control/ports/room-directory.ts';
import type { Logger } from '../log/logger.ts';
import { answerContent, parseCommand, runCommand } from './commands.ts';
import type { EncryptedEvents } from './encrypted-events.ts';
import type { EncryptedEvent, MessageEvent } from './event-decoder.ts';
import { HomeserverError } from './homeserver-error.ts';
import { phrasesOf } from './i18n/language.ts';
import type { Addresses } from './notice-text.ts';
import { botsInRoom, type BotsInRoom, type OtherBots } from './responsible-bot.ts';

export interface ConversationOptions {
  readonly botUser: UserId;
  readonly neighbourBots: readonly UserId[];
  readonly otherBots: OtherBots;
  readonly isBot: (user: UserId) => boolean;
  readonly directory: Pick<RoomDirectory, 'member'> & { isEncrypted(room: RoomId): Promise<boolean> };
  /** Undefined: the bot cannot encrypt. */
  readonly encrypted: Pick<EncryptedEvents, 'read'> | undefined;
  readonly addresses: Addresses;
  /** Lower case; the first is shown in the help. */
  readonly prefixes: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
}

/** Commands older than this are not run any more: nobody expects it. */
const maxCommandAgeMs = 30_000;
/** Whose messages cannot be read is told so at most once in this time, and once for each of their sessions. */
const noKeyEveryMs = 600_000;
const maxRemembered = 1_000;

export class Conversation {
  readonly #options: ConversationOptions;
  readonly #prefix: string;
  readonly #toldSessions = new Set<string>();
  readonly #toldAtMs = new Map<string, number>();

  constructor(options: ConversationOptions) {
    this.#options = options;
    this.#prefix = options.prefixes[0] ?? '!visio';
  }

  /** May it be a command? What people say to each other is not kept. */
  concerns(event: MessageEvent | EncryptedEvent): boolean {
    const { encrypted, isBot, neighbourBots } = this.#options;
    if (event.type === 'message') return this.#commandIn(event) !== undefined;
    return encrypted !== undefined && !event.isEdit && !isBot(event.sender) && !neighbourBots.includes(event.sender);
  }

  /** A message in clear. */
  async heard(event: MessageEvent, ageMs: number, commands: RoomCommands): Promise<void> {
    const words = this.#commandIn(event);
    if (words === undefined) return;
    if (await this.#isEncrypted(event.room)) await this.#refuseClear(event, commands);
    else await this.#obey(event, words, ageMs, commands);
  }

  async heardEncrypted(event: EncryptedEvent, ageMs: number, commands: RoomCommands): Promise<'later' | undefined> {
    const reading = (await this.#options.encrypted?.read(event)) ?? { kind: 'nothing' };
    if (reading.kind === 'later') return 'later';
    if (reading.kind === 'noKey') await this.#tellOfMissingKey(event, commands);
    if (reading.kind !== 'message') return undefined;
    const words = this.#commandIn(reading.event);
    if (words !== undefined) await this.#obey(reading.event, words, ageMs, commands);
    return undefined;
  }

  #commandIn(event: MessageEvent): readonly string[] | undefined {
    const { isBot, prefixes } = this.#options;
    return event.msgtype === 'm.text' && !event.isEdit && !isBot(event.sender) ? parseCommand(event.body, prefixes) : undefined;
  }

  async #obey(event: MessageEvent, words: readonly string[], ageMs: number, commands: RoomCommands): Promise<void> {
    const { addresses, clock, log } = this.#options;
    const bots = await this.#bots(event);
    // Any organisation's page may have shown the code: the bot answers whose bridge has given it.
    const isCode = words[0] === 'code' && !bots.alone;
    if (isCode ? !commands.hasCode(event.room, words.slice(1).join('')) : !bots.isOurs) return;
    const answer =
      ageMs > maxCommandAgeMs
        ? [[phrasesOf(commands.language(event.room)).tooOld]]
        : await runCommand({ room: event.room, by: event.sender, eventId: event.eventId, words }, { commands, addresses, prefix: this.#prefix, nowMs: clock.nowMs(), log });
    if (answer !== undefined) commands.say(event.room, event.eventId, answerContent(answer, event));
  }

  /** In an encrypted room it may be the homeserver's own: it is answered, encrypted, and not run. */
  async #refuseClear(event: MessageEvent, commands: RoomCommands): Promise<void> {
    const { encrypted, log } = this.#options;
    log.warn('command in clear refused: the room is encrypted', { room: event.room, by: event.sender });
    if (encrypted === undefined || !(await this.#bots(event)).isOurs) return;
    commands.say(event.room, event.eventId, answerContent([[phrasesOf(commands.language(event.room)).commandInClear]], event));
  }

  async #tellOfMissingKey(event: EncryptedEvent, commands: RoomCommands): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    const sender = `${event.room} ${event.sender}`;
    const session = `${sender} ${event.session}`;
    if (this.#toldSessions.has(session) || nowMs - (this.#toldAtMs.get(sender) ?? -Infinity) < noKeyEveryMs) return;
    if (!(await this.#bots(event)).isOurs) return;
    if (this.#toldSessions.size >= maxRemembered) this.#toldSessions.clear();
    if (this.#toldAtMs.size >= maxRemembered) this.#toldAtMs.clear();
    this.#toldSessions.add(session);
    this.#toldAtMs.set(sender, nowMs);
    // The key of the message is the session: a restart does not say it again.
    commands.say(event.room, `noKey.${event.session}`, answerContent([[phrasesOf(commands.language(event.room)).noKey]], { eventId: event.eventId, thread: undefined }));
  }

  async #bots(event: MessageEvent | EncryptedEvent): Promise<BotsInRoom> {
    const { directory, botUser, otherBots } = this.#options;
    return await botsInRoom(directory, botUser, await otherBots(event.room), { room: event.room, sender: event.sender });
  }

  /** A homeserver that does not answer must not keep people from commands: the rest finds out by itself. */
  #isEncrypted(room: RoomId): Promise<boolean> {
    return this.#options.directory.isEncrypted(room).catch((error: unknown) => {
      if (error instanceof HomeserverError) return false;
      throw error;
    });
  }
}
