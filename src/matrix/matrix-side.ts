// Owns the Matrix side as a whole: what it gives to the bridge, and the way of each event from the homeserver to its effect.
import type { RequestListener } from 'node:http';
import { isUserId, parse, type RoomId, type ServerName, type UserId } from '../call/ids.ts';
import type { Clock } from '../control/ports/clock.ts';
import type { IdentityVerifier } from '../control/ports/identity-verifier.ts';
import type { DelayedLeaves } from '../control/ports/delayed-leaves.ts';
import type { Introducer } from '../control/ports/introducer.ts';
import type { RoomDirectory } from '../control/ports/room-directory.ts';
import type { Language, RoomVoice } from '../control/ports/room-voice.ts';
import type { EncryptedRooms, EventInbox } from '../control/ports/store.ts';
import { speakerOf, type Voucher } from '../control/ports/voucher.ts';
import type { Logger, Secret } from '../log/logger.ts';
import { asError, background } from '../util/background.ts';
import { allowedServers } from './allowed-servers.ts';
import { createAppservice } from './appservice.ts';
import { BotClient } from './bot-client.ts';
import { bridgeDiscovery } from './bridge-discovery.ts';
import { Conversation } from './conversation.ts';
import { EncryptedEvents } from './encrypted-events.ts';
import type { Encryption } from './encryption/encryption.ts';
import type { MatrixEvent, MemberEvent } from './event-decoder.ts';
import { EventQueue } from './event-queue.ts';
import { HomeserverError } from './homeserver-error.ts';
import { botTest, Membership, type Control } from './membership.ts';
import type { Addresses } from './notice-text.ts';
import { createDelayedLeaves } from './delayed-leaves.ts';
import { createIntroducer } from './introducer.ts';
import { createIdentityVerifier } from './openid.ts';
import { otherBots } from './responsible-bot.ts';
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
  /** Undefined: the bot neither reads nor writes in encrypted rooms, and says so there. */
  readonly encryption: Encryption | undefined;
  readonly encryptedRooms: EncryptedRooms;
  /** How long the key of a message may take to come, default a minute. */
  readonly keyWaitMs?: number;
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

const connectAgainMs = { first: 1_000, longest: 30_000 };
/** What the bot sends from, so that transaction ids hold. Its keys are those of another device, which may be lost and replaced. */
const device = 'VIADUC';
const usualKeyWaitMs = 60_000;

export function createMatrixSide(options: MatrixSideOptions): MatrixSide {
  const { homeserver, appservice, bot, neighbourBots, anyNeighbours = false, access, speech, encryption, encryptedRooms, keyWaitMs = usualKeyWaitMs, inbox, clock, log } = options;
  const botUser = parse(isUserId, `@${bot.localpart}:${homeserver.serverName}`, 'user id');
  const isBot = botTest(bot.localpart, homeserver.serverName);
  const isAllowed = allowedServers(homeserver.serverName, access.servers);
  const prefixes = speech.prefixes.map((prefix) => prefix.toLowerCase());
  const [commandPrefix = '!visio'] = prefixes;
  const closing = new AbortController();

  const client = new BotClient({ url: homeserver.url, asToken: appservice.asToken, user: botUser, device, log });
  const directory = new MatrixRoomDirectory({ client, encryptedRooms, clock, log });
  const voice = createRoomVoice({ client, bot: botUser, directory, encryption, addresses: speech, log });
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

  const encrypted = encryption === undefined ? undefined : new EncryptedEvents({ encryption, keyWaitMs, again: (room) => queue.again(room), clock, log });
  const conversation = new Conversation({ botUser, neighbourBots, otherBots: others, isBot, directory, encrypted, addresses: speech, prefixes, clock, log });
  const isJoin = (event: MemberEvent) => event.membership === 'join' && event.before !== 'join';
  /** What people say to each other is not kept, nor what only the directory needs to know. */
  const concerns = (event: MatrixEvent): boolean => {
    switch (event.type) {
      case 'message':
      case 'encrypted':
        return conversation.concerns(event);
      case 'member':
        return event.user === botUser || event.membership === 'leave' || event.membership === 'ban' || (encryption !== undefined && isJoin(event));
      case 'powerLevels':
      case 'encryption':
      case 'tombstone':
        return true;
      case 'name':
        return false;
      default:
        return event satisfies never;
    }
  };

  let handler: (event: MatrixEvent, ageMs: number) => Promise<'later' | undefined> = () => Promise.reject(new Error('not started'));
  const queue = new EventQueue({ inbox, clock, log, concerns, observe: (event) => directory.observe(event), handle: (event, ageMs) => handler(event, ageMs) });

  const handlerFor = (control: Control) => {
    const membership = new Membership({ client, directory, isAllowed, isBot, otherBots: others, encryption, commandPrefix, defaultLanguage: speech.defaultLanguage, patience: { clock, signal: closing.signal }, log }, control);
    return async (event: MatrixEvent, ageMs: number): Promise<'later' | undefined> => {
      switch (event.type) {
        case 'member':
          await membership.memberChanged(event);
          break;
        case 'message':
          await conversation.heard(event, ageMs, control.commands);
          break;
        case 'encrypted':
          return await conversation.heardEncrypted(event, ageMs, control.commands);
        case 'powerLevels':
          await control.listener.powerLevelsChanged(event.room);
          break;
        case 'tombstone':
          await membership.tombstoned(event);
          break;
        case 'encryption':
          await membership.encryptionSet(event.room, event.eventId);
          break;
        case 'name':
          // The directory has taken note already.
          break;
        default:
          event satisfies never;
      }
      return undefined;
    };
  };

  const readAgain = (rooms: readonly RoomId[]): void => {
    for (const room of rooms) queue.again(room);
  };

  let connected = false;
  let connecting: Promise<void> = Promise.resolve();
  let receivesKeys = false;
  const connect = async (): Promise<void> => {
    for (let delayMs = connectAgainMs.first; !closing.signal.aborted; delayMs = Math.min(delayMs * 2, connectAgainMs.longest)) {
      try {
        await client.ensureUser(bot.displayName);
        if (!receivesKeys) await encryption?.start({ roomKeys: readAgain });
        receivesKeys = true;
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
      encrypted?.close();
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
