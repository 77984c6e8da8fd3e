// Owns the Matrix side as a whole: what it gives to the bridge, and the way of each event from the homeserver to its effect.
import type { RequestListener } from 'node:http';
import { isUserId, parse, type RoomId, type ServerName, type UserId } from '../call/ids.ts';
import type { Clock } from '../control/ports/clock.ts';
import type { IdentityVerifier } from '../control/ports/identity-verifier.ts';
import type { DelayedLeaves } from '../control/ports/delayed-leaves.ts';
import type { Introducer } from '../control/ports/introducer.ts';
import type { RoomDirectory } from '../control/ports/room-directory.ts';
import type { Language, RoomVoice } from '../control/ports/room-voice.ts';
import type { EventInbox } from '../control/ports/store.ts';
import { speakerOf, type Voucher } from '../control/ports/voucher.ts';
import type { Logger, Secret } from '../log/logger.ts';
import { asError, background } from '../util/background.ts';
import { allowedServers } from './allowed-servers.ts';
import { createAppservice } from './appservice.ts';
import { BotClient } from './bot-client.ts';
import { bridgeDiscovery } from './bridge-discovery.ts';
import { answerContent, parseCommand, runCommand } from './commands.ts';
import type { MatrixEvent, MessageEvent } from './event-decoder.ts';
import { EventQueue } from './event-queue.ts';
import { HomeserverError } from './homeserver-error.ts';
import { phrasesOf } from './i18n/language.ts';
import { botTest, Membership, type Control } from './membership.ts';
import type { Addresses } from './notice-text.ts';
import { createDelayedLeaves } from './delayed-leaves.ts';
import { createIntroducer } from './introducer.ts';
import { createIdentityVerifier } from './openid.ts';
import { botsInRoom, otherBots } from './responsible-bot.ts';
import { createProxiedRoutes } from './proxied-routes.ts';
import { pause } from '../util/pause.ts';
import { MatrixRoomDirectory } from './room-directory.ts';
import { createRoomVoice } from './room-voice.ts';
import { createVoucher } from './voucher.ts';

export interface MatrixSideOptions {
  readonly homeserver: {
    readonly serverName: ServerName;
    /** Client-server API, without a trailing slash. */
    readonly url: string;
    /** Where our own homeserver's federation API is asked; left out: found by its name, as every other. */
    readonly federationUrl?: string | undefined;
  };
  readonly appservice: { readonly id: string; readonly asToken: Secret<string>; readonly hsToken: Secret<string> };
  readonly bot: { readonly localpart: string; readonly displayName: string };
  /** The bots of neighbours, with whom ours shares rooms. */
  readonly neighbourBots: readonly UserId[];
  /** Any server may have a neighbour: bots named like ours count as theirs. Default: no. */
  readonly anyNeighbours?: boolean;
  readonly access: {
    /** Server names, and `*.suffix`; our own is always allowed. */
    readonly servers: readonly string[];
    /** Networks (CIDR) that other homeservers may be asked in although they are private. */
    readonly privateAddresses: readonly string[];
  };
  readonly speech: Addresses & {
    /** Lower case; the first is the one that the bot shows. */
    readonly prefixes: readonly string[];
    readonly defaultLanguage: Language;
  };
  readonly inbox: EventInbox;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface MatrixSide {
  readonly voice: RoomVoice;
  readonly directory: RoomDirectory;
  readonly verifier: IdentityVerifier;
  readonly introducer: Introducer;
  readonly leaves: DelayedLeaves;
  readonly voucher: Voucher;
  readonly botUser: UserId;
  /** Of the appservice listener. Events that come before `start` are kept. */
  readonly handle: RequestListener;
  /** Works through events from now on, makes the bot known to the homeserver, as often as it takes. Open the listener before. */
  start(control: Control): void;
  /** The homeserver has answered us and reached our listener. */
  isConnected(): boolean;
  /** Post: no event is being worked through; those left are in the inbox. Close the listener before. */
  close(): Promise<void>;
}

/** Commands older than this are not run any more: nobody expects it. */
const maxCommandAgeMs = 30_000;
const connectAgainMs = { first: 1_000, longest: 30_000 };
const device = 'VIADUC';

export function createMatrixSide(options: MatrixSideOptions): MatrixSide {
  const { homeserver, appservice, bot, neighbourBots, anyNeighbours = false, access, speech, inbox, clock, log } = options;
  const botUser = parse(isUserId, `@${bot.localpart}:${homeserver.serverName}`, 'user id');
  const isBot = botTest(bot.localpart, homeserver.serverName);
  const isAllowed = allowedServers(homeserver.serverName, access.servers);
  const prefixes = speech.prefixes.map((prefix) => prefix.toLowerCase());
  const [commandPrefix = '!visio'] = prefixes;
  const closing = new AbortController();

  const client = new BotClient({ url: homeserver.url, asToken: appservice.asToken, user: botUser, device, log });
  const directory = new MatrixRoomDirectory({ client, clock, log });
  const voice = createRoomVoice({ client, bot: botUser, directory, addresses: speech, log });
  const verifier = createIdentityVerifier({ own: homeserver, isAllowed, privateAddresses: access.privateAddresses, clock, log });

  const others = otherBots(directory, botUser, neighbourBots, anyNeighbours);
  const { privateAddresses } = access;
  const voucher = createVoucher({
    client: new BotClient({ url: homeserver.url, asToken: appservice.asToken, user: speakerOf(bot.localpart, homeserver.serverName), device, log }),
    displayName: `${bot.displayName} (bridge)`,
    // Its own limits: who floods the bridge with introductions must not keep people out.
    verifier: createIdentityVerifier({ own: homeserver, isAllowed: () => true, privateAddresses, clock, log }),
    bridgeOf: bridgeDiscovery({ privateAddresses, clock }),
    clock,
  });
  const proxied = createProxiedRoutes({ log });
  const introducer = createIntroducer({ client, proxied });

  const commandIn = (event: MessageEvent) => (event.msgtype === 'm.text' && !event.isEdit && !isBot(event.sender) ? parseCommand(event.body, prefixes) : undefined);
  /** What people say to each other is not kept, nor what only the directory needs to know. */
  const concerns = (event: MatrixEvent): boolean => {
    switch (event.type) {
      case 'message':
        return commandIn(event) !== undefined;
      case 'member':
        return event.user === botUser || event.membership === 'leave' || event.membership === 'ban';
      case 'powerLevels':
      case 'tombstone':
        return true;
      case 'name':
      case 'encryption':
        return false;
      default:
        return event satisfies never;
    }
  };

  let handler: (event: MatrixEvent, ageMs: number) => Promise<void> = () => Promise.reject(new Error('not started'));
  const queue = new EventQueue({ inbox, clock, log, concerns, observe: (event) => directory.observe(event), handle: (event, ageMs) => handler(event, ageMs) });

  const handlerFor = (control: Control) => {
    const membership = new Membership({ client, directory, isAllowed, isBot, otherBots: others, commandPrefix, defaultLanguage: speech.defaultLanguage, patience: { clock, signal: closing.signal }, log }, control);
    const say = async (event: MessageEvent, ageMs: number): Promise<void> => {
      const words = commandIn(event);
      if (words === undefined) return;
      if (await isEncrypted(event.room)) {
        log.warn('command in clear ignored: the room is encrypted', { room: event.room, by: event.sender });
        return;
      }
      const bots = await botsInRoom(directory, botUser, await others(event.room), { room: event.room, sender: event.sender });
      // Any organisation's page may have shown the code: the bot answers whose bridge has given it.
      const isCode = words[0] === 'code' && !bots.alone;
      if (isCode ? !control.commands.hasCode(event.room, words.slice(1).join('')) : !bots.isOurs) return;
      const answer =
        ageMs > maxCommandAgeMs
          ? [[phrasesOf(control.commands.language(event.room)).tooOld]]
          : await runCommand({ room: event.room, by: event.sender, eventId: event.eventId, words }, { commands: control.commands, addresses: speech, prefix: commandPrefix, nowMs: clock.nowMs(), log });
      if (answer !== undefined) control.commands.say(event.room, event.eventId, answerContent(answer, event));
    };
    return async (event: MatrixEvent, ageMs: number): Promise<void> => {
      switch (event.type) {
        case 'member':
          await membership.memberChanged(event);
          break;
        case 'message':
          await say(event, ageMs);
          break;
        case 'powerLevels':
          await control.listener.powerLevelsChanged(event.room);
          break;
        case 'tombstone':
          await membership.tombstoned(event);
          break;
        case 'name':
        case 'encryption':
          // The directory has taken note already.
          break;
        default:
          event satisfies never;
      }
    };
  };

  /** A homeserver that does not answer must not keep people from commands: the rest finds out by itself. */
  const isEncrypted = (room: RoomId): Promise<boolean> =>
    directory.isEncrypted(room).catch((error: unknown) => {
      if (error instanceof HomeserverError) return false;
      throw error;
    });

  let connected = false;
  let connecting: Promise<void> = Promise.resolve();
  const connect = async (): Promise<void> => {
    for (let delayMs = connectAgainMs.first; !closing.signal.aborted; delayMs = Math.min(delayMs * 2, connectAgainMs.longest)) {
      try {
        await client.ensureUser(bot.displayName);
        const durationMs = await client.ping(appservice.id);
        connected = true;
        log.info('connected to the homeserver', { user: botUser, durationMs });
        return;
      } catch (error) {
        log.warn('not connected to the homeserver yet', { url: homeserver.url, detail: asError(error).message, hint: hintFor(error), retryInMs: delayMs });
      }
      await pause(clock, delayMs, closing.signal);
    }
  };

  return {
    voice,
    directory,
    verifier,
    introducer,
    leaves: createDelayedLeaves({ client }),
    voucher,
    botUser,
    handle: createAppservice({ hsToken: appservice.hsToken, bot: botUser, accept: (events) => queue.accept(events), proxied: proxied.handle, log }),
    start: (control) => {
      handler = handlerFor(control);
      queue.start();
      connecting = connect();
      background(log, 'connecting to the homeserver', connecting);
    },
    isConnected: () => connected,
    close: async () => {
      closing.abort();
      await Promise.all([queue.close(), connecting]);
    },
  };
}

/** What an operator should look at. */
function hintFor(error: unknown): string {
  if (!(error instanceof HomeserverError)) return 'this is unexpected: please report it';
  if (error.status === undefined) return 'is the homeserver running, and is homeserver.url right?';
  if (error.status === 401 || error.errcode === 'M_EXCLUSIVE') return 'the homeserver must load the registration file that the bridge uses, and be restarted after it changed';
  if (error.errcode?.startsWith('M_CONNECTION') === true || error.errcode === 'M_BAD_STATUS' || error.errcode === 'M_URL_NOT_SET') return 'the homeserver cannot reach the bridge: check the url in the registration file';
  return 'the homeserver\'s log says more';
}
