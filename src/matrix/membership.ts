// Owns where the bot is: which invitations it takes, how it introduces itself, when it leaves, which upgrades it follows.
import { isUserId, serverOf, type EventId, type RoomId, type ServerName, type UserId } from '../call/ids.ts';
import type { RoomCommands } from '../control/ports/room-commands.ts';
import type { RoomListener } from '../control/ports/room-directory.ts';
import type { Language } from '../control/ports/room-voice.ts';
import type { Logger } from '../log/logger.ts';
import type { ServerTest } from './allowed-servers.ts';
import type { BotClient } from './bot-client.ts';
import type { MemberEvent, TombstoneEvent } from './event-decoder.ts';
import type { Encryption } from './encryption/encryption.ts';
import { createContent, tombstoneContent } from './event-schemas.ts';
import { HomeserverError } from './homeserver-error.ts';
import { phrasesOf } from './i18n/language.ts';
import { isFirstBot, type OtherBots } from './responsible-bot.ts';
import { patiently, type Patience } from './retry.ts';
import type { MatrixRoomDirectory } from './room-directory.ts';

export interface MembershipOptions {
  readonly client: BotClient;
  readonly directory: MatrixRoomDirectory;
  readonly isAllowed: ServerTest;
  readonly isBot: (user: UserId) => boolean;
  /** One of us greets. */
  readonly otherBots: OtherBots;
  /** Undefined: the bot does not speak in encrypted rooms. */
  readonly encryption: Pick<Encryption, 'changed'> | undefined;
  readonly commandPrefix: string;
  readonly defaultLanguage: Language;
  readonly patience: Patience;
  readonly log: Logger;
}

export interface Control {
  readonly commands: RoomCommands;
  readonly listener: RoomListener;
}

export class Membership {
  readonly #options: MembershipOptions;
  readonly #control: Control;
  /** Upgrades told to control/ already: the tombstone and our own join both lead there. */
  readonly #followed = new Set<string>();

  constructor(options: MembershipOptions, control: Control) {
    this.#options = options;
    this.#control = control;
  }

  /** Somebody's membership changed, perhaps our own. */
  async memberChanged(event: MemberEvent): Promise<void> {
    const isGone = event.membership === 'leave' || event.membership === 'ban';
    if (event.membership === 'join' && event.before !== 'join') await this.#met(event);
    if (event.user === this.#options.client.user) {
      if (event.membership === 'invite') await this.#invited(event);
      else if (event.membership === 'join' && event.before !== 'join') await this.#joined(event);
      else if (isGone && event.before !== 'invite') await this.#lost(event);
    } else if (event.membership === 'join' && event.before !== 'join') {
      await this.#control.listener.memberCame(event.room, event.user);
    } else if (isGone) {
      await this.#control.listener.memberGone(event.room, event.user);
      await this.#leaveIfOnlyBotsAreLeft(event.room);
    }
  }

  /** From now on the room is encrypted, or its rules have changed. */
  async encryptionSet(room: RoomId, event: EventId): Promise<void> {
    const { client, directory, encryption, patience } = this.#options;
    const isNew = !directory.wasEncrypted(room);
    if (!(await patiently(patience, () => directory.isEncrypted(room))) || !isNew || encryption !== undefined) return;
    const membership = await patiently(patience, () => client.membership(room, client.user));
    if (membership?.membership === 'join') await this.#sayThatEncryptionIsOff(room, `${event}.off`);
  }

  /** The room was closed in favour of another. The claim counts only if the other room confirms it. */
  async tombstoned({ room, replacement, sender }: TombstoneEvent): Promise<void> {
    const { client, patience, log } = this.#options;
    if (!(await this.#pointsForward(room, replacement))) {
      log.warn('tombstone ignored: it is not in the state of the room', { room, replacement });
      return;
    }
    try {
      await patiently(patience, () => client.join(replacement, serverOf(sender)));
    } catch (error) {
      if (!(error instanceof HomeserverError) || error.isTransient) throw error;
      // A private room invites its people after the upgrade; the invitation leads to the same check.
      log.info('upgraded room cannot be joined yet', { room, replacement, detail: error.message });
      await this.#control.listener.roomLost(room);
      return;
    }
    if (await this.#follow(room, replacement)) return;
    log.warn('upgrade not followed: the new room does not point back', { room, replacement, by: sender });
    await this.#leave(replacement, phrasesOf(this.#control.commands.language(room)).upgradeNotConfirmed);
    await this.#control.listener.roomLost(room);
  }

  async #invited({ room, sender }: MemberEvent): Promise<void> {
    const { client, isAllowed, defaultLanguage, patience, log } = this.#options;
    const server = serverOf(sender);
    if (!isAllowed(server)) {
      log.info('invitation declined', { room, by: sender, hint: 'access.servers lists who may invite the bot' });
      await this.#leave(room, phrasesOf(defaultLanguage).declined);
      return;
    }
    try {
      await patiently(patience, () => client.join(room, server));
      log.info('invitation accepted', { room, by: sender });
    } catch (error) {
      if (!(error instanceof HomeserverError) || error.isTransient) throw error;
      log.warn('invitation could not be accepted', { room, by: sender, detail: error.message });
    }
  }

  async #joined({ room, eventId, sentAtMs }: MemberEvent): Promise<void> {
    const { client, otherBots, patience } = this.#options;
    const predecessor = await patiently(patience, () => this.#predecessorOf(room));
    // Who is led here by the room before was introduced there.
    if (predecessor !== undefined && (await this.#follow(predecessor, room))) return;
    const others = await otherBots(room);
    if (await patiently(patience, () => isFirstBot(client, { user: client.user, joinedAtMs: sentAtMs }, others, room))) await this.#introduce(room, eventId);
  }

  async #introduce(room: RoomId, joinEvent: EventId): Promise<void> {
    const { directory, encryption, commandPrefix, patience } = this.#options;
    const phrases = phrasesOf(this.#control.commands.language(room));
    const key = `${joinEvent}.introduction`;
    // Its own voice encrypts where that is needed.
    if (encryption === undefined && (await patiently(patience, () => directory.isEncrypted(room)))) await this.#sayThatEncryptionIsOff(room, key);
    else this.#control.commands.say(room, key, { msgtype: 'm.notice', body: phrases.introduction(commandPrefix), 'm.mentions': {} });
  }

  /** The one sentence said in clear in an encrypted room, the same for all rooms: that nothing else will be. */
  async #sayThatEncryptionIsOff(room: RoomId, key: string): Promise<void> {
    const { client, patience } = this.#options;
    const body = phrasesOf(this.#control.commands.language(room)).encryptionIsOff;
    await patiently(patience, () => client.send(room, 'm.room.message', key, { msgtype: 'm.notice', body, 'm.mentions': {} }));
  }

  /** Nobody has told us what became of their devices while we shared no room. */
  async #met({ room, user }: MemberEvent): Promise<void> {
    const { client, encryption, patience } = this.#options;
    if (encryption === undefined) return;
    const users = user === client.user ? [...(await patiently(patience, () => client.joinedMembers(room))).keys()].filter(isUserId) : [user];
    await patiently(patience, () => encryption.changed(users));
  }

  async #lost({ room, sender }: MemberEvent): Promise<void> {
    this.#options.log.info('the bot is out of the room', { room, by: sender });
    await this.#control.listener.roomLost(room);
  }

  async #leaveIfOnlyBotsAreLeft(room: RoomId): Promise<void> {
    const { directory, isBot, log } = this.#options;
    const people = await directory.hasMember(room, (user) => !isBot(user));
    if (!people.ok || people.value !== false) return;
    log.info('only bots are left in the room', { room });
    await this.#leave(room, phrasesOf(this.#control.commands.language(room)).onlyBotsLeft);
  }

  /** True: both rooms name each other, and control/ knows. @throws HomeserverError */
  async #follow(from: RoomId, to: RoomId): Promise<boolean> {
    const confirmed = await patiently(this.#options.patience, async () => (await this.#predecessorOf(to)) === from && (await this.#pointsForward(from, to)));
    if (!confirmed) return false;
    const key = `${from} ${to}`;
    if (this.#followed.has(key)) return true;
    this.#followed.add(key);
    this.#options.log.info('room upgrade followed', { from, to });
    await this.#control.listener.roomUpgraded(from, to);
    await this.#control.listener.roomLost(from);
    return true;
  }

  async #pointsForward(from: RoomId, to: RoomId): Promise<boolean> {
    try {
      const content = await this.#options.client.state(from, 'm.room.tombstone');
      return tombstoneContent.safeParse(content).data?.replacement_room === to;
    } catch (error) {
      if (error instanceof HomeserverError && error.isForbidden) return false;
      throw error;
    }
  }

  async #predecessorOf(room: RoomId): Promise<RoomId | undefined> {
    const content = await this.#options.client.state(room, 'm.room.create');
    return createContent.safeParse(content).data?.predecessor?.room_id;
  }

  async #leave(room: RoomId, reason: string): Promise<void> {
    const { client, patience, log } = this.#options;
    try {
      await patiently(patience, () => client.leave(room, reason));
    } catch (error) {
      if (!(error instanceof HomeserverError) || error.isTransient) throw error;
      log.info('room could not be left', { room, detail: error.message });
    }
  }
}

/** Our own users, and the bots of other organisations' bridges that are named like ours. */
export function botTest(localpart: string, own: ServerName): (user: UserId) => boolean {
  return (user) => {
    const name = user.slice(1, user.indexOf(':'));
    return name === localpart || (serverOf(user) === own && name.startsWith(`${localpart}_`));
  };
}
