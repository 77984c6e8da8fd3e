// Owns a bridge without Matrix: the real calls, media and signalling, with a directory that knows everybody. For specs of clients.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { createTickets } from '../../src/auth/tickets.ts';
import type { CallId, ServerName, UserId } from '../../src/call/ids.ts';
import { memberPermissions, type Permissions } from '../../src/call/roles.ts';
import { createCallDoor } from '../../src/control/call-door.ts';
import { nobodyWatches, type CallWatcher } from '../../src/control/call-watcher.ts';
import { CallRegistry } from '../../src/control/call-registry.ts';
import type { LiveCall } from '../../src/control/live-call.ts';
import type { Random } from '../../src/control/ports/clock.ts';
import { PeerDesk } from '../../src/control/peers/peer-desk.ts';
import { silentObserver } from '../../src/control/ports/observer.ts';
import type { RoomDirectory } from '../../src/control/ports/room-directory.ts';
import type { CallDoor } from '../../src/control/ports/session.ts';
import { RoomBook } from '../../src/control/room-book.ts';
import { createSignallingServer, type SignallingOptions, type SignallingServer } from '../../src/livekit/signalling-server.ts';
import { createLogger, silentLogger } from '../../src/log/logger.ts';
import { createMediaPlane, type ClosableMediaPlane } from '../../src/sfu/media-plane.ts';
import { createCallStore } from '../../src/store/call-store.ts';
import { openDatabase } from '../../src/store/database.ts';
import { createOutbox } from '../../src/store/outbox.ts';
import { createRoomStore } from '../../src/store/room-store.ts';
import { ok } from '../../src/util/result.ts';
import { alice, powerLevels, rules, serverName, theRoom } from './builders.ts';
import { realClock } from './clocks.ts';
import type { LinksOf } from './control-env.ts';
import { specBasePort } from './run.ts';
import { workerBinary } from './worker-binary.ts';

export interface CallHost extends AsyncDisposable {
  /** What clients connect to, `ws://…`. */
  readonly url: string;
  /** The call of the room; a neighbour's host has it as soon as they are linked. */
  readonly live: LiveCall;
  readonly media: ClosableMediaPlane;
  readonly signalling: SignallingServer;
  ticket(user: UserId, device: string): Promise<string>;
  /** Breaks the signalling connection of whoever connected first, as a network does: without a word. */
  breakFirstConnection(): void;
}

export interface CallHostOptions {
  readonly signalling?: Partial<SignallingOptions>;
  /** Rights that differ from everybody's, by user. */
  readonly permissions?: ReadonlyMap<UserId, Permissions>;
  /** Counts from the first port of the specs: two for media, three for pipes. */
  readonly portOffset?: number;
  readonly neighbour?: NeighbourOptions;
  /** Each session is on another worker than the one before. */
  readonly spread?: boolean;
}

export interface NeighbourOptions {
  readonly server: ServerName;
  readonly peer: ServerName;
  readonly links: LinksOf;
  /** False: the call comes from the neighbour. */
  readonly starts: boolean;
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const random: Random = {
  base32: (length) => [...randomBytes(length)].map((byte) => alphabet[byte % 32]).join(''),
  digits: (length) => [...randomBytes(length)].map((byte) => String(byte % 10)).join(''),
};

/** VIADUC_SPEC_LOG=debug shows what the bridge logs. */
const specLogger = process.env['VIADUC_SPEC_LOG'] === undefined ? silentLogger : createLogger({ level: 'debug', format: 'text' });

export async function startCallHost(options: CallHostOptions = {}): Promise<CallHost> {
  await using stack = new AsyncDisposableStack();
  const { neighbour, portOffset = 45 } = options;
  const server = neighbour?.server ?? serverName('host.example.org');
  const firstPort = specBasePort() + portOffset;
  const folder = mkdtempSync(join(tmpdir(), 'viaduc-call-host-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const database = openDatabase(join(folder, 'viaduc.db'));
  stack.defer(() => void database.close());
  const media = await createMediaPlane({
    workerBinary: workerBinary(), workers: 2, listenIp: '127.0.0.1', announcedAddress: undefined, firstPort,
    iceTcp: true, initialOutgoingBitrateKbps: 1_000, maxIncomingBitrateKbps: 0, log: specLogger,
    ...(options.spread === true && { fullAtConsumers: 0 }),
    pipes: neighbour === undefined ? undefined : { listenIp: '127.0.0.1', announcedAddress: undefined, firstPort: firstPort + 2, lastPort: firstPort + 4 },
  });
  stack.defer(() => media.close());
  const clock = realClock;
  const directory: RoomDirectory = {
    member: (_room, user) => Promise.resolve(ok({ user, displayName: user.slice(1, user.indexOf(':')) })),
    powerLevels: () => Promise.resolve(ok(powerLevels())),
    hasMember: () => Promise.resolve({ ok: true as const, value: true }),
    members: () => Promise.resolve(ok([])),
    name: () => Promise.resolve('A room'),
  };
  const outboxMarked = (): void => undefined;
  const rooms = new RoomBook({ store: createRoomStore(database), outbox: createOutbox(database), random, clock, defaultLanguage: 'en', outboxMarked });
  let watcher: CallWatcher = nobodyWatches;
  const calls = new CallRegistry({ context: { server, store: createCallStore(database), media, clock, rules: { ...rules, maxParticipants: 30 }, log: specLogger, outboxMarked, get watcher() { return watcher; } }, random, directory, rooms });
  stack.defer(() => calls.stop('bridgeStopping'));
  const tickets = createTickets({ key: randomBytes(32), server: serverName('interieur.localhost'), clock, lifetimeMs: 600_000 });
  const door = createCallDoor({ calls, tickets, directory, clock, random, log: specLogger, observer: silentObserver, labelOf: (server) => server });
  const signalling = createSignallingServer({ door: withPermissions(door, options.permissions ?? new Map()), clock, log: specLogger, options: options.signalling ?? {} });
  const connections: Duplex[] = [];
  const port = await listen(stack, signalling, connections);
  stack.defer(() => signalling.close());
  if (neighbour !== undefined) watcher = deskOf(neighbour, { calls, directory });
  if (neighbour?.starts !== false) {
    const started = await calls.start({ room: theRoom, by: alice, eventId: undefined });
    if (!started.ok) throw new Error(`the call does not start: ${started.error.detail}`);
  }
  const live = (): LiveCall => calls.inRoom(theRoom) ?? assert.fail('no call runs here');
  const kept = stack.move();
  return {
    url: `ws://localhost:${port}`,
    get live() {
      return live();
    },
    media,
    signalling,
    ticket: (user, device) => tickets.mint(live().call.id satisfies CallId, { identity: `${user}:${device}`, user, server: serverName(user.slice(user.indexOf(':') + 1)), device, name: user, role: 'participant', permissions: memberPermissions }),
    breakFirstConnection: () => void connections.find(({ destroyed }) => !destroyed)?.destroy(),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

function deskOf({ server, links: linksOf }: NeighbourOptions, { calls, directory }: { readonly calls: CallRegistry; readonly directory: RoomDirectory }): PeerDesk {
  // Each needs the other; nothing comes over the link before it is wanted.
  const links = linksOf({ linkUp: (from) => desk.linkUp(from), linkDown: (from, reason) => desk.linkDown(from, reason), received: (from, message) => desk.received(from, message), notFound: () => desk.notFound() });
  const desk: PeerDesk = new PeerDesk({ server, links, calls, directory, clock: realClock, log: specLogger, labelOf: (name) => name, pages: { of: (slug) => `https://${server}/c/${slug}`, allows: () => Promise.resolve(true) }, tickets: { received: () => undefined, deviceNumber: (device) => device.length } });
  return desk;
}

async function listen(stack: AsyncDisposableStack, signalling: SignallingServer, connections: Duplex[]): Promise<number> {
  const http = createServer((request, response) => {
    if (!signalling.handleRequest(request, response)) response.writeHead(404).end();
  });
  http.on('upgrade', (request, socket, head) => {
    connections.push(socket);
    if (!signalling.handleUpgrade(request, socket, head)) socket.destroy();
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  stack.defer(() => closeServer(http));
  return portOf(http);
}

export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}

export function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on a port');
  return address.port;
}

/** The directory gives everybody the same rights; some specs are about people with fewer. */
function withPermissions(door: CallDoor, permissions: ReadonlyMap<UserId, Permissions>): CallDoor {
  return {
    validate: (ticket) => door.validate(ticket),
    join: async (request) => {
      const joined = await door.join(request);
      const fewer = joined.ok ? permissions.get(joined.value.self.user) : undefined;
      return joined.ok && fewer !== undefined ? ok({ ...joined.value, self: { ...joined.value.self, permissions: fewer } }) : joined;
    },
  };
}
