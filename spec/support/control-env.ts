// Owns the use cases on a real store and a virtual clock, with a homeserver and a media plane that do as they are told.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSignIns, createTickets } from '../../src/auth/tickets.ts';
import { callError, type CallError } from '../../src/call/errors.ts';
import { isEventId, parse, serverOf, type RoomId, type ServerName, type TrackId, type UserId } from '../../src/call/ids.ts';
import type { PowerLevels } from '../../src/call/roles.ts';
import { Admission, type AdmissionOptions } from '../../src/control/admission.ts';
import { createCallDoor } from '../../src/control/call-door.ts';
import { nobodyWatches, type CallWatcher } from '../../src/control/call-watcher.ts';
import { CallRegistry } from '../../src/control/call-registry.ts';
import { OutboxRunner } from '../../src/control/outbox-runner.ts';
import type { CallMediaListener, EndpointListener, MediaEndpoint, MediaPipe, MediaPlane } from '../../src/control/ports/media-plane.ts';
import { silentObserver } from '../../src/control/ports/observer.ts';
import type { RoomDirectory } from '../../src/control/ports/room-directory.ts';
import type { CallNotice, Delivery, RoomVoice } from '../../src/control/ports/room-voice.ts';
import type { ParticipantsChange, SessionSink } from '../../src/control/ports/session.ts';
import type { CloseReason } from '../../src/call/close-reason.ts';
import { ForeignTickets } from '../../src/control/peers/foreign-tickets.ts';
import { PeerDesk } from '../../src/control/peers/peer-desk.ts';
import type { PeerLinks, PeerListener, PipeEnd } from '../../src/control/ports/peer-links.ts';
import { RoomBook } from '../../src/control/room-book.ts';
import { createRoomCommands, createRoomListener } from '../../src/control/room-desk.ts';
import { SignInDesk } from '../../src/control/sign-in-desk.ts';
import { silentLogger } from '../../src/log/logger.ts';
import { createCallStore } from '../../src/store/call-store.ts';
import { openDatabase } from '../../src/store/database.ts';
import { createOutbox } from '../../src/store/outbox.ts';
import { createRoomStore } from '../../src/store/room-store.ts';
import { createSignInStore } from '../../src/store/sign-in-store.ts';
import { err, ok } from '../../src/util/result.ts';
import { systemRandom } from '../../src/util/system.ts';
import { powerLevels, rules, serverName } from './builders.ts';
import { virtualClock, type VirtualClock } from './clocks.ts';

const key = new Uint8Array(32).fill(7);

/** What the homeserver would say; change it at will. */
export interface World {
  readonly members: Map<RoomId, Set<UserId>>;
  levels: PowerLevels;
  homeserverDown: boolean;
  mediaFails: boolean;
  /** No port for a pipe is free. */
  pipesFail: boolean;
  /** Answer of the homeserver to the next messages, in turn; afterwards everything is sent. */
  readonly deliveries: Delivery[];
}

export interface Said {
  readonly kind: 'notice' | 'edit' | 'message' | 'widget';
  readonly txnId: string;
  readonly notice?: CallNotice;
  readonly atMs: number;
}

export interface RecordedSession extends SessionSink {
  readonly changes: ParticipantsChange[];
  readonly closed: CloseReason[];
  lastChange(): ParticipantsChange | undefined;
}

export function recordingSink(): RecordedSession {
  const changes: ParticipantsChange[] = [];
  const closed: CloseReason[] = [];
  return { changes, closed, lastChange: () => changes.at(-1), participantsChanged: (change) => void changes.push(change), speakersChanged: () => undefined, qualityChanged: () => undefined, close: (reason) => void closed.push(reason) };
}

export const deafEndpointListener: EndpointListener = { transportStateChanged: () => undefined, producerConsumed: () => undefined, consumerClosed: () => undefined, consumerLayerChanged: () => undefined, trackAvailable: () => undefined };

export type ControlEnv = ReturnType<typeof controlEnv>;

/** Lets two environments be neighbours: makes the links of one of them, whose messages go to its listener. */
export type LinksOf = (listener: PeerListener) => PeerLinks;

export interface ControlEnvOptions {
  readonly server?: ServerName;
  readonly links?: LinksOf;
  readonly clock?: VirtualClock;
}

export function controlEnv(members: readonly (readonly [RoomId, readonly UserId[]])[], { server = serverName('interieur.example.org'), links: linksOf, clock = virtualClock() }: ControlEnvOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'viaduc-control-'));
  const world: World = { members: new Map(members.map(([room, users]) => [room, new Set(users)])), levels: powerLevels(), homeserverDown: false, mediaFails: false, pipesFail: false, deliveries: [] };
  const said: Said[] = [];
  const opened: Opened = { media: [], pipes: [], endpoints: 0, closedEndpoints: 0, closedMedia: 0 };
  const voice = voiceOf(world, said, clock);
  let process = start();

  function start() {
    const database = openDatabase(join(folder, 'viaduc.sqlite'));
    const outbox = createOutbox(database);
    const store = createCallStore(database);
    const directory = directoryOf(world);
    const outboxMarked = (): void => {
      runner.wake();
    };
    const rooms = new RoomBook({ store: createRoomStore(database), outbox, random: systemRandom, clock, defaultLanguage: 'fr', outboxMarked });
    let watcher: CallWatcher = nobodyWatches;
    const context = { server, store, media: mediaOf(world, opened), clock, rules, log: silentLogger, outboxMarked, get watcher() { return watcher; } };
    const calls = new CallRegistry({ context, random: systemRandom, directory, rooms });
    const runner = new OutboxRunner({ outbox, voice, rooms, calls, clock, log: silentLogger, observer: silentObserver, noticeIntervalMs: 5000, pagesOf: (room) => peers?.pagesOf(room) ?? [] });
    const tickets = createTickets({ key, server, clock, lifetimeMs: 600_000 });
    const signIns = new SignInDesk({ store: createSignInStore(database), tokens: createSignIns({ key, server, clock }), rooms, clock, random: systemRandom, signInLifetimeMs: 86_400_000 });
    const verifier = { verify: ({ accessToken }: { accessToken: string }) => Promise.resolve(accessToken.startsWith('@') ? ok(accessToken as UserId) : err(callError('identityRejected', 'unknown token'))) };
    let foreign: ForeignTickets | undefined;
    let peers: PeerDesk | undefined;
    let stopWatching = (): void => undefined;
    if (linksOf !== undefined) {
      let listener: PeerListener | undefined;
      const links = linksOf({ linkUp: (peer) => listener?.linkUp(peer), linkDown: (peer, reason) => listener?.linkDown(peer, reason), received: (peer, message) => listener?.received(peer, message), notFound: (peer) => listener?.notFound(peer) });
      foreign = new ForeignTickets({ server, links, calls, directory, tickets, aliasOf: (device) => `${device.length}-alias-of`, liveKitUrl: `wss://${server}`, clock, log: silentLogger });
      watcher = listener = peers = new PeerDesk({ server, links, calls, directory, clock, log: silentLogger, labelOf: (name) => name, tickets: foreign, pages: { of: (slug) => `https://${server}/c/${slug}`, allows: (page) => Promise.resolve(page.startsWith('https:')) } });
      stopWatching = peers.start();
    }
    const sendHome: AdmissionOptions['sendHome'] = async (room, user, device) => (serverOf(user) !== server && (await peers?.shared(serverOf(user), room, 1000)) === true ? foreign?.ask(room, user, device) : undefined);
    const admission = new Admission({ verifier, signIns, directory, rooms, calls, tickets, observer: silentObserver, sendHome });
    const door = createCallDoor({ calls, tickets, directory, clock, random: systemRandom, log: silentLogger, observer: silentObserver, labelOf: (name) => name });
    const desk = { calls, rooms, signIns, directory, outbox, clock, outboxMarked, peers };
    calls.restore();
    runner.start();
    return { database, outbox, store, rooms, calls, runner, tickets, signIns, admission, door, peers, stopWatching: () => stopWatching(), commands: createRoomCommands(desk), listener: createRoomListener(desk) };
  }

  return {
    world,
    clock,
    said,
    opened,
    get bridge() {
      return process;
    },
    /** A new process on the same file; the old one is gone without a word, as after kill -9. */
    async crash(): Promise<void> {
      await process.runner.stop();
      process.database.close();
      process = start();
      await settled();
    },
    async close(): Promise<void> {
      process.stopWatching();
      await process.runner.stop();
      await process.calls.stop('bridgeStopping');
      process.database.close();
      rmSync(folder, { recursive: true });
    },
    /** Lets time pass, and everything that becomes due happen. */
    async pass(ms: number): Promise<void> {
      await settled();
      for (let passed = 0; passed < ms; passed += 500) {
        clock.advance(Math.min(500, ms - passed));
        await settled();
      }
    },
  };
}

/** Everything that can happen without time passing has happened. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Passes the conformance suite of its port (spec/ports). */
export function directoryOf(world: World): RoomDirectory {
  const down = (): { ok: false; error: CallError } => err(callError('homeserverUnavailable', 'the homeserver is down', 1000));
  return {
    member: (room, user) => Promise.resolve(world.homeserverDown ? down() : ok(world.members.get(room)?.has(user) === true ? { user, displayName: `Name of ${user}` } : undefined)),
    powerLevels: (room) => Promise.resolve(world.homeserverDown ? down() : world.members.has(room) ? ok(world.levels) : err(callError('forbidden', 'the bot is not in the room'))),
    hasMember: (room, counts) => {
      const members = world.members.get(room);
      return Promise.resolve(world.homeserverDown ? down() : ok(members === undefined ? undefined : [...members].some(counts)));
    },
    members: (room) => Promise.resolve(world.homeserverDown ? down() : ok([...(world.members.get(room) ?? [])])),
    name: () => Promise.resolve('The room'),
  };
}

/** Passes the conformance suite of its port (spec/ports). */
export function voiceOf(world: World, said: Said[], clock: VirtualClock): RoomVoice {
  let events = 0;
  const posted = new Map<string, Delivery>();
  const send = (txnId: string, record: Omit<Said, 'atMs' | 'txnId'>): Promise<Delivery> => {
    if (world.homeserverDown) return Promise.resolve({ kind: 'later', retryAfterMs: undefined, detail: 'no connection' });
    const scripted = world.deliveries.shift();
    if (scripted !== undefined) return Promise.resolve(scripted);
    const again = posted.get(txnId);
    if (again !== undefined) return Promise.resolve(again);
    said.push({ ...record, txnId, atMs: clock.nowMs() });
    const delivery: Delivery = { kind: 'sent', eventId: parse(isEventId, `$event${++events}`, 'event id') };
    posted.set(txnId, delivery);
    return Promise.resolve(delivery);
  };
  return {
    notice: (notice, noticeId, txnId) => send(txnId, { kind: noticeId === undefined ? 'notice' : 'edit', notice }),
    message: (_room, _content, txnId) => send(txnId, { kind: 'message' }),
    widget: (room, slug) => send(`${room}.widget.${slug ?? ''}`, { kind: 'widget' }),
  };
}

export interface FakePipe extends MediaPipe {
  readonly remotes: PipeEnd[];
  /** Up to which layer. */
  readonly sending: Map<TrackId, number | undefined>;
  readonly receiving: Set<TrackId>;
  /** What the statistics say. */
  bytesReceived: number;
}

function pipeOf(): FakePipe {
  const remotes: PipeEnd[] = [];
  const sending = new Map<TrackId, number | undefined>();
  const receiving = new Set<TrackId>();
  let closed = false;
  const pipe: FakePipe = {
    bytesReceived: 0,
    remotes,
    sending,
    receiving,
    local: { address: '192.0.2.1', port: 40_000, srtp: { suite: 'AEAD_AES_256_GCM', key: 'key' } },
    connect: (remote) => {
      remotes.push(remote);
      return Promise.resolve();
    },
    send: (track, layer) => {
      sending.set(track, layer);
      return Promise.resolve({ kind: 'video', rtp: { codecs: [] }, paused: false });
    },
    stopSending: (track) => void sending.delete(track),
    receive: (track) => {
      receiving.add(track);
      return Promise.resolve();
    },
    stopReceiving: (track) => void receiving.delete(track),
    traffic: () => Promise.resolve({ bytesSent: 0, bytesReceived: pipe.bytesReceived }),
    stats: () => Promise.resolve({ bytesSent: 0, bytesReceived: pipe.bytesReceived, packetsSent: 0, packetsReceived: 0, packetsLost: 0, packetsRepaired: 0, roundTripMs: undefined }),
    get closed() {
      return closed;
    },
    close: () => {
      closed = true;
    },
  };
  return pipe;
}

interface Opened {
  readonly media: CallMediaListener[];
  readonly pipes: FakePipe[];
  endpoints: number;
  closedEndpoints: number;
  closedMedia: number;
}

function mediaOf(world: World, opened: Opened): MediaPlane {
  return {
    open: (_callId, listener) => {
      if (world.mediaFails) return Promise.reject(new Error('no worker is left'));
      opened.media.push(listener);
      return Promise.resolve({
        rtpCapabilities: {},
        endpoint: () => {
          opened.endpoints++;
          return Promise.resolve(endpointOf(opened));
        },
        expect: () => undefined,
        pipe: () => {
          if (world.pipesFail) return Promise.reject(new Error('no UDP port is free'));
          const pipe = pipeOf();
          opened.pipes.push(pipe);
          return Promise.resolve(pipe);
        },
        close: () => {
          opened.closedMedia++;
        },
      });
    },
    snapshot: () => Promise.resolve({ workers: [], bytesReceived: 0, bytesSent: 0 }),
  };
}

function endpointOf(opened: { closedEndpoints: number }): MediaEndpoint {
  const transport = { iceParameters: { usernameFragment: '', password: '' }, iceCandidates: [], dtlsParameters: { fingerprints: [] }, sctp: undefined };
  const nothing = (): Promise<void> => Promise.resolve();
  return {
    publisher: transport,
    subscriber: transport,
    connect: nothing,
    restartIce: () => Promise.resolve(transport.iceParameters),
    produce: nothing,
    setProducerPaused: nothing,
    closeProducer: () => undefined,
    consume: () => Promise.resolve(undefined),
    waitsFor: () => false,
    setConsumerPaused: nothing,
    setPreferredLayers: nothing,
    setPriority: nothing,
    requestKeyFrame: nothing,
    closeConsumer: () => undefined,
    quality: () => Promise.resolve({ uplinkScore: undefined, downlinkScore: undefined }),
    close: () => {
      opened.closedEndpoints++;
    },
  };
}
