// Owns the composition of one bridge: the only file that knows every part. A process or a spec may start several.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pageRoutes } from './auth/page-routes.ts';
import { rtcRoutes } from './auth/rtc-routes.ts';
import { aliasOf, loadSigningKeys } from './auth/signing-key.ts';
import { createSignIns, createTickets } from './auth/tickets.ts';
import { isUserId, parse, serverOf, type RoomId, type ServerName, type Slug, type UserId } from './call/ids.ts';
import { publishedTracks } from './call/participant.ts';
import { createPeerLinks } from './cascade/link-set.ts';
import type { Config } from './config/schema.ts';
import { sharesCalls } from './config/shares-calls.ts';
import { Admission } from './control/admission.ts';
import { createCallDoor } from './control/call-door.ts';
import { allWatch, nobodyWatches, type CallWatcher } from './control/call-watcher.ts';
import { LeaveKeeper } from './control/leave-keeper.ts';
import { CallRegistry } from './control/call-registry.ts';
import { ForeignTickets } from './control/peers/foreign-tickets.ts';
import { createHomePages, mayLeadTo, onlyOurs } from './control/peers/home-pages.ts';
import { PeerDesk } from './control/peers/peer-desk.ts';
import { speakerOf } from './control/ports/voucher.ts';
import { OutboxRunner } from './control/outbox-runner.ts';
import { RoomBook } from './control/room-book.ts';
import { createRoomCommands, createRoomListener } from './control/room-desk.ts';
import { SignInDesk } from './control/sign-in-desk.ts';
import { createMetrics, type Reading } from './http/metrics.ts';
import { openListener } from './http/listener.ts';
import { createOperationsApp } from './http/operations-app.ts';
import { createPublicApp } from './http/public-app.ts';
import { createSignallingServer } from './livekit/signalling-server.ts';
import { createLogger, type Logger } from './log/logger.ts';
import { openEncryption } from './matrix/encryption/encryption.ts';
import { createMatrixSide } from './matrix/matrix-side.ts';
import { labelOf, pageUrl } from './matrix/notice-text.ts';
import { parseRegistration, type Registration } from './matrix/registration.ts';
import { createMediaPlane } from './sfu/media-plane.ts';
import { createCallStore } from './store/call-store.ts';
import { openDatabase } from './store/database.ts';
import { createEncryptedRooms } from './store/encrypted-rooms.ts';
import { createEventInbox } from './store/event-inbox.ts';
import { createLeaveStore } from './store/leave-store.ts';
import { createOutbox } from './store/outbox.ts';
import { createRoomStore } from './store/room-store.ts';
import { createSignInStore } from './store/sign-in-store.ts';
import { addressPolicy } from './util/addresses.ts';
import { asError } from './util/background.ts';
import { pause } from './util/pause.ts';
import { systemClock, systemRandom } from './util/system.ts';

export interface Bridge {
  /** Nothing starts and nobody joins any more; waits for the calls to empty, at most the configured time. */
  drain(): Promise<void>;
  /** Post: sessions told to come back, listeners closed, worker processes gone, database closed. Idempotent. */
  close(): Promise<void>;
}

/** Where `vite build` puts the call page. */
const pageFolder = join(import.meta.dirname, '../dist/web');
const pruneEveryMs = 3_600_000;
/** How long somebody at the door waits for the link to their own organisation's bridge. */
const shareMs = 2000;
/** Of bridges whose operator is not ours and has not said otherwise. */
const defaultBot = 'visio';
const keepEventsMs = 7 * 24 * 3_600_000;

/** Starts a bridge. Post: it serves; the homeserver may still be away. @throws Error in words when a part cannot start; nothing is left running then */
export async function createBridge(config: Config, log: Logger = createLogger(config.log)): Promise<Bridge> {
  await using starting = new AsyncDisposableStack();
  const clock = systemClock;
  const random = systemRandom;
  const { homeserver, access: allowed, calls: limits, organisation } = config;
  const neighbours = new Map(config.neighbours.map((neighbour) => [neighbour.serverName, neighbour]));
  const acceptsAny = config.cascade.accept === 'anyFederated';
  const isAlone = !sharesCalls(config);
  const access = { ...allowed, servers: [...allowed.servers, ...neighbours.keys()] };
  const registration = readRegistration(config);
  const addresses = { publicUrl: config.http.publicUrl, organisations: new Map(Object.entries(organisation.labels).map(([server, label]) => [server as typeof homeserver.serverName, label])) };

  const database = openDatabase(join(config.dataFolder, 'viaduc.sqlite'));
  starting.defer(() => {
    database.close();
  });
  const outbox = createOutbox(database);
  const inbox = createEventInbox(database);
  const signInStore = createSignInStore(database);
  const store = createCallStore(database);
  const keys = loadSigningKeys(config.dataFolder);

  const media = await createMediaPlane({ ...config.media, workerBinary: workerBinary(config), announcedAddress: config.media.announcedAddress, iceTcp: true, pipes: isAlone ? undefined : { ...config.cascade, announcedAddress: config.cascade.announcedAddress }, log: log.child({ part: 'media' }) });
  starting.defer(() => media.close());

  const botUser = parse(isUserId, `@${config.bot.localpart}:${homeserver.serverName}`, 'user id');
  const encryption = config.crypto === 'off' ? undefined : starting.adopt(await openEncryption({ url: homeserver.url, asToken: registration.asToken, user: botUser, folder: config.dataFolder, clock, log: log.child({ part: 'crypto' }) }), (opened) => opened.close());
  const matrix = createMatrixSide({
    encryption,
    encryptedRooms: createEncryptedRooms(database),
    homeserver,
    appservice: { id: registration.id, asToken: registration.asToken, hsToken: registration.hsToken },
    bot: config.bot,
    neighbourBots: config.neighbours.map(({ serverName, bot }) => parse(isUserId, `@${bot}:${serverName}`, 'user id')),
    anyNeighbours: acceptsAny,
    access,
    speech: { ...addresses, prefixes: limits.prefixes, defaultLanguage: limits.language },
    inbox,
    clock,
    log: log.child({ part: 'matrix' }),
  });

  const metrics = createMetrics(read);
  const outboxMarked = (): void => {
    runner.wake();
  };
  const rooms = new RoomBook({ store: createRoomStore(database), outbox, random, clock, defaultLanguage: limits.language, outboxMarked });
  let watcher: CallWatcher = nobodyWatches;
  const rules = { ...limits, startLevel: access.startLevel };
  const calls = new CallRegistry({ context: { server: homeserver.serverName, store, media, clock, rules, log: log.child({ part: 'call' }), outboxMarked, get watcher() { return watcher; } }, random, directory: matrix.directory, rooms });
  const runner = new OutboxRunner({ outbox, voice: matrix.voice, rooms, calls, clock, log: log.child({ part: 'outbox' }), observer: metrics.observer, noticeIntervalMs: limits.noticeIntervalMs, pagesOf: (room) => peers?.pagesOf(room) ?? [] });
  const tickets = createTickets({ key: keys.ticket, server: homeserver.serverName, clock, lifetimeMs: access.ticketLifetimeMs });
  const signIns = new SignInDesk({ store: signInStore, tokens: createSignIns({ key: keys.signIn, server: homeserver.serverName, clock }), rooms, clock, random, signInLifetimeMs: access.signInLifetimeMs });
  const liveKitUrl = config.http.publicUrl.replace(/^http/, 'ws');
  const label = (server: typeof homeserver.serverName): string => labelOf(addresses, server);
  const pageOf = (slug: Slug): string => pageUrl(addresses, slug);
  const listed = addressPolicy(access.privateAddresses);
  const vouching = {
    voucher: matrix.voucher,
    speakerOf: (server: ServerName) => speakerOf(neighbours.get(server)?.bot ?? defaultBot, server),
    urlOf: (server: ServerName) => URL.parse(neighbours.get(server)?.url ?? '') ?? undefined,
  };
  const links = isAlone ? undefined : createPeerLinks({ server: homeserver.serverName, neighbours: [...neighbours.keys()], acceptsAny, vouching, publicUrl: `${liveKitUrl}/cascade`, introducer: matrix.introducer, clock, random, log: log.child({ part: 'cascade' }), privateAddresses: access.privateAddresses });
  const foreign = links === undefined ? undefined : new ForeignTickets({ server: homeserver.serverName, links, calls, directory: matrix.directory, tickets, aliasOf: (device) => aliasOf(keys.alias, device), liveKitUrl, clock, log: log.child({ part: 'cascade' }) });
  const peers = links === undefined || foreign === undefined ? undefined : new PeerDesk({ server: homeserver.serverName, links, calls, directory: matrix.directory, clock, log: log.child({ part: 'cascade' }), labelOf: label, tickets: foreign, pages: { of: pageOf, allows: (page) => mayLeadTo(page, (address) => listed.lists(address)) } });
  const leaves = new LeaveKeeper({ leaves: matrix.leaves, store: createLeaveStore(database), peopleIn: (room) => calls.inRoom(room)?.call.participants.values() ?? [], clock, log: log.child({ part: 'leaves' }) });
  watcher = peers === undefined ? leaves.watcher : allWatch([leaves.watcher, peers]);
  const admission = new Admission({ verifier: matrix.verifier, signIns, directory: matrix.directory, rooms, calls, tickets, observer: metrics.observer, sendHome });
  const door = createCallDoor({ calls, tickets, directory: matrix.directory, clock, random, log: log.child({ part: 'door' }), observer: metrics.observer, labelOf: label });
  const signalling = createSignallingServer({ door, clock, log: log.child({ part: 'livekit' }), options: { iceServers: config.media.iceServers.map(iceServer) } });

  const routes = [
    ...(links?.routes ?? []),
    ...rtcRoutes({ admission, leaves, server: homeserver.serverName, liveKitUrl }),
    ...pageRoutes({
      admission,
      signIns,
      clock,
      liveKitUrl,
      page: {
        organisation: organisation.name === '' ? label(homeserver.serverName) : organisation.name,
        defaultLanguage: limits.language,
        botUser: matrix.botUser,
        commandPrefix: limits.prefixes[0] ?? '!visio',
        signInMaxAgeMs: access.signInLifetimeMs,
      },
    }),
  ];
  const publicApp = createPublicApp({ routes, pageFolder, pageOf, homes: peers === undefined ? onlyOurs : createHomePages({ server: homeserver.serverName, rooms, peers }), frameAncestors: config.http.frameAncestors, trustedProxies: config.http.trustedProxies, liveKitUrls: isAlone ? [liveKitUrl] : [liveKitUrl, new URL(liveKitUrl).protocol], log: log.child({ part: 'http' }) });
  const operationsApp = createOperationsApp({ metrics, unready, neighbours: async () => (await peers?.status()) ?? [], strangers: () => links?.strangers() ?? {} });

  calls.restore();
  starting.defer(leaves.start());
  starting.defer(() => runner.stop());
  runner.start();
  const stopPruning = every(pruneEveryMs, prune);
  starting.defer(stopPruning);
  starting.defer(() => matrix.close());
  starting.defer(() => calls.stop('bridgeStopping'));

  const publicListener = await openListener({
    name: 'public',
    ...config.http,
    handle: (request, response) => {
      if (!signalling.handleRequest(request, response)) publicApp(request, response);
    },
    upgrade: (request, socket, head) => {
      if (!signalling.handleUpgrade(request, socket, head) && links?.handleUpgrade(request, socket, head) !== true) socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    },
  });
  starting.defer(() => publicListener.close());
  if (links !== undefined && peers !== undefined) {
    starting.defer(() => links.close());
    links.start(peers);
    starting.defer(peers.start());
  }
  starting.defer(() => signalling.close());
  const operationsListener = await openListener({ name: 'metrics', ...config.metrics, handle: operationsApp });
  starting.defer(() => operationsListener.close());
  // The homeserver's listener opens last: what comes in finds everything else in place.
  const matrixListener = await openListener({ name: 'application service', ...config.appservice, handle: matrix.handle });
  starting.defer(() => matrixListener.close());
  matrix.start({ commands: createRoomCommands(desk()), listener: createRoomListener(desk()) });
  log.info('bridge started', { server: homeserver.serverName, publicUrl: config.http.publicUrl, calls: calls.open().length });

  const running = starting.move();
  let closing: Promise<void> | undefined;
  return {
    drain: async () => {
      calls.drain();
      log.info('bridge draining', { sessions: sessions(), timeoutMs: limits.drainTimeoutMs });
      const untilMs = clock.nowMs() + limits.drainTimeoutMs;
      while (sessions() > 0 && clock.nowMs() < untilMs) await pause(clock, 100);
      signalling.drain();
    },
    close: () => {
      calls.drain();
      closing ??= running.disposeAsync().then(() => {
        log.info('bridge stopped');
      });
      return closing;
    },
  };

  function desk(): Parameters<typeof createRoomCommands>[0] {
    return { calls, rooms, signIns, directory: matrix.directory, outbox, clock, outboxMarked, peers };
  }

  async function sendHome(room: RoomId, user: UserId, device: string): Promise<{ readonly url: string; readonly ticket: string } | undefined> {
    const home = serverOf(user);
    return home !== homeserver.serverName && (await peers?.shared(home, room, shareMs)) === true ? foreign?.ask(room, user, device) : undefined;
  }

  function sessions(): number {
    return calls.open().reduce((sum, { sessionCount }) => sum + sessionCount, 0);
  }

  function unready(): string[] {
    return [...(calls.draining ? ['draining'] : []), ...(matrix.isConnected() ? [] : ['the homeserver has not reached the application service yet'])];
  }

  function prune(): void {
    inbox.prune(clock.nowMs() - keepEventsMs);
    signInStore.prune(clock.nowMs());
  }

  async function read(): Promise<Reading> {
    const people = calls.open().flatMap(({ call }) => [...call.participants.values()]);
    const tracks = people.flatMap(publishedTracks);
    const audio = tracks.filter(({ kind }) => kind === 'audio').length;
    return { calls: calls.open().length, people: people.length, tracks: { audio, video: tracks.length - audio }, outboxDepth: outbox.depth(), media: await media.snapshot(), neighbours: (await peers?.status()) ?? [], strangers: links?.strangers() ?? {} };
  }

  function every(periodMs: number, run: () => void): () => void {
    const timer = setInterval(() => {
      try {
        run();
      } catch (error) {
        log.error('pruning failed', { error: asError(error) });
      }
    }, periodMs);
    timer.unref();
    return () => {
      clearInterval(timer);
    };
  }
}

/** @throws Error in words */
export function readRegistration({ registration: path, homeserver: { serverName }, bot: { localpart } }: Config): Registration {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`the registration ${path} cannot be read (${asError(error).message}): write it with ./viaduc register`, { cause: error });
  }
  const registration = parseRegistration(text, { serverName, botLocalpart: localpart });
  if (!registration.ok) throw new Error(`the registration ${path} cannot be used: ${registration.error}. Write a new one with ./viaduc register --force and restart the homeserver.`);
  return registration.value;
}

/** @throws Error in words */
export function workerBinary({ media }: Config): string {
  const path = media.workerBinary ?? process.env['MEDIASOUP_WORKER_BIN'];
  if (path === undefined) throw new Error('no media worker: start Viaduc with ./viaduc, which builds it, or set media.workerBinary');
  return path;
}

function iceServer({ urls, username, credential }: Config['media']['iceServers'][number]): { urls: readonly string[]; username?: string; credential?: string } {
  return { urls, ...(username !== undefined && { username }), ...(credential !== undefined && { credential }) };
}
