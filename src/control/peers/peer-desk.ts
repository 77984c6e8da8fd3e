// Owns the calls shared with neighbours: which they are, who speaks for them, what each message of a link means.
import { serverOf, type ParticipantId, type RoomId, type ServerName, type Slug, type TrackId, type UserId } from '../../call/ids.ts';
import { mayEnd } from '../../call/rules.ts';
import type { Logger } from '../../log/logger.ts';
import { background } from '../../util/background.ts';
import type { CallRegistry } from '../call-registry.ts';
import type { CallWatcher } from '../call-watcher.ts';
import type { LiveCall } from '../live-call.ts';
import type { Clock } from '../ports/clock.ts';
import type { PipeStats, SpeakerLevel } from '../ports/media-plane.ts';
import type { PeerLinks, PeerListener, PeerMessage, PeerStatus } from '../ports/peer-links.ts';
import type { RoomDirectory } from '../ports/room-directory.ts';
import type { ConnectionQuality, ParticipantsChange } from '../ports/session.ts';
import { Border } from './border.ts';
import { Roster } from './roster.ts';
import { ShareBook } from './share-book.ts';
import { Share } from './share.ts';
import { mirroredPerson } from './translate.ts';

export interface PeerDeskOptions {
  /** The server name that we speak for. */
  readonly server: ServerName;
  readonly links: PeerLinks;
  readonly calls: Pick<CallRegistry, 'join' | 'inRoom' | 'open' | 'endNow'>;
  readonly directory: RoomDirectory;
  readonly clock: Clock;
  readonly log: Logger;
  readonly labelOf: (server: ServerName) => string;
  readonly pages: {
    /** Where our own people find a call. */
    readonly of: (slug: Slug) => string;
    /** May people be sent to that address of a neighbour's? */
    readonly allows: (page: string) => Promise<boolean>;
  };
  /** Requests for tickets and their answers: another desk's business, as is what of a device may be told. */
  readonly tickets: { received(peer: ServerName, message: Message<'ticket' | 'ticketAnswer'>): void; deviceNumber(device: string): number };
}

export interface NeighbourStatus extends PeerStatus {
  readonly calls: number;
  readonly people: number;
  readonly tracksReceived: number;
  /** Calls in which media do not pass one way or the other. */
  readonly stalledCalls: number;
  /** Calls for whose media no pipe can be opened, and why. */
  readonly callsWithoutPipe: number;
  readonly pipeFault: string | undefined;
  /** Of the pipes that are open now. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly packetsLost: number;
  /** What we have refused this neighbour since the start. */
  readonly refusals: Readonly<Record<string, number>>;
}

type Message<Type extends PeerMessage['type']> = Extract<PeerMessage, { type: Type }>;

/** docs/protocol/cascade.md §3. */
const departureMs = 15_000;
/** A neighbour that has refused a call is asked again when something happens after this time. */
const refusalKeptMs = 5000;
/** A neighbour's homeserver may learn so much later that somebody of its own has joined. */
const lateMemberMs = [2000, 10_000];

export class PeerDesk implements PeerListener, CallWatcher {
  readonly #options: PeerDeskOptions;
  readonly #shares: ShareBook;
  readonly #roster: Roster;
  readonly #border: Border;
  readonly #up = new Set<ServerName>();
  /** Had a link and lost it: nobody at the door waits for it. */
  readonly #lost = new Set<ServerName>();
  /** Where neighbours' people find the shared calls, as they say. */
  readonly #pages = new WeakMap<Share, string>();
  /** Looks again whether somebody at the door has to wait. */
  readonly #waiting = new Set<() => void>();
  readonly #laterOffers = new Set<() => void>();
  #stopped = false;

  constructor(options: PeerDeskOptions) {
    this.#options = options;
    this.#shares = new ShareBook(options);
    this.#roster = new Roster({ ...options, shares: this.#shares, deviceNumber: (device) => options.tickets.deviceNumber(device) });
    this.#border = new Border({ ...options, shares: this.#shares });
  }

  /** Begins to look after the paths of media. The returned function ends the desk: nothing waits any more, and links that go down then mean nothing. */
  start(): () => void {
    const stopWatching = this.#border.start();
    return () => {
      this.#stopped = true;
      stopWatching();
      for (const share of this.#shares.all()) share.stopWaiting();
      for (const cancel of this.#laterOffers) cancel();
    };
  }

  /** Resolves when the neighbour shares the room's call, or has refused it, or after that time; at once for who is none. */
  async shared(peer: ServerName, room: RoomId, withinMs: number): Promise<boolean> {
    const { clock, links } = this.#options;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const look = (): void => {
      const share = this.#shares.get(peer, room);
      if (this.#up.has(peer) && share?.isOn === true) resolve(true);
      else if (this.#lost.has(peer) || share?.refusedAtMs !== undefined || (!links.isNeighbour(peer) && !links.isSought(peer))) resolve(false);
    };
    const cancel = clock.after(withinMs, () => {
      resolve(false);
    });
    this.#waiting.add(look);
    links.seek([peer]);
    look();
    try {
      return await promise;
    } finally {
      cancel();
      this.#waiting.delete(look);
    }
  }

  /** How calls are shared with each neighbour now, for the operator. */
  async status(): Promise<readonly NeighbourStatus[]> {
    return Promise.all(this.#options.links.status().map((link) => this.#statusOf(link)));
  }

  /** Where a neighbour's people find the room's call at their own bridge; undefined: it does not share it now, or has no page for it. */
  pageOf(room: RoomId, peer: ServerName): string | undefined {
    const share = this.#shares.get(peer, room);
    return share?.isOn === true && this.#up.has(peer) ? this.#pages.get(share) : undefined;
  }

  /** The pages that neighbours have for the room's call, also while a link is away. */
  pagesOf(room: RoomId): readonly { readonly server: ServerName; readonly url: string }[] {
    const shares = this.#shares.all().filter((share) => share.room === room).toSorted((one, other) => (one.peer < other.peer ? -1 : 1));
    return shares.flatMap((share) => {
      const url = this.#pages.get(share);
      return url === undefined ? [] : [{ server: share.peer, url }];
    });
  }

  // What our calls do.

  started(live: LiveCall): void {
    background(this.#options.log, 'share a call', this.#offer(live));
  }

  changed(live: LiveCall, change: Omit<ParticipantsChange, 'count'>): void {
    for (const share of this.#shares.of(live)) {
      if (!share.isOn) continue;
      this.#roster.tell(share, change);
      this.#border.expect(share);
    }
    background(this.#options.log, 'share a call', this.#offer(live));
  }

  speakersChanged(live: LiveCall, speakers: readonly SpeakerLevel[]): void {
    const ours = speakers.flatMap(({ participant, level }) => (live.call.participants.get(participant)?.via === undefined ? [{ id: participant, level }] : []));
    for (const share of this.#shares.of(live)) if (share.isOn) this.#shares.send(share, { type: 'speakers', room: share.room, speakers: ours });
  }

  qualityChanged(live: LiveCall, { participant, level, score }: ConnectionQuality): void {
    for (const share of this.#shares.of(live)) if (share.isOn) this.#shares.send(share, { type: 'quality', room: share.room, id: participant, level, score });
  }

  demandChanged(live: LiveCall, track: TrackId, demand: { readonly layer: number | undefined } | undefined): void {
    this.#border.demandChanged(live, track, demand);
  }

  mediaLost(live: LiveCall): void {
    for (const share of this.#shares.of(live)) {
      this.#shares.send(share, { type: 'leave', room: share.room });
      share.reset();
    }
    background(this.#options.log, 'share a call', this.#offer(live));
  }

  /** Each neighbour checks that they may. */
  ending(live: LiveCall, by: UserId): void {
    for (const share of this.#shares.of(live)) this.#shares.send(share, { type: 'end', room: share.room, by, atMs: this.#options.clock.nowMs() });
  }

  ended(live: LiveCall): void {
    for (const share of this.#shares.of(live)) this.#shares.end(share);
  }

  /** Somebody has joined the room: its call is shared with their organisation from now on. Theirs may hear of it later than we do, and refuse until then. */
  async memberCame(room: RoomId, user: UserId): Promise<void> {
    const { server, calls, clock, log } = this.#options;
    const peer = serverOf(user);
    const offer = async (): Promise<void> => {
      const live = calls.inRoom(room);
      const share = this.#shares.get(peer, room);
      if (live === undefined || share?.isOn === true) return;
      if (share !== undefined) share.refusedAtMs = undefined;
      await this.#offer(live);
    };
    if (peer === server) return;
    await offer();
    if (this.#stopped) return;
    for (const delayMs of lateMemberMs) {
      const cancel = clock.after(delayMs, () => {
        this.#laterOffers.delete(cancel);
        background(log, 'share a call with newcomers', offer());
      });
      this.#laterOffers.add(cancel);
    }
  }

  /** Somebody is no longer joined in the room: a neighbour without members there has no part in its call. */
  async memberGone(room: RoomId, user: UserId): Promise<void> {
    const share = this.#shares.get(serverOf(user), room);
    if (share === undefined || (await this.#isPresent(room, share.peer))) return;
    await this.#clear(share);
    this.#shares.end(share);
  }

  // What neighbours do.

  linkUp(server: ServerName): void {
    this.#up.add(server);
    this.#lost.delete(server);
    this.#options.log.info('neighbour linked', { peer: server });
    for (const share of this.#shares.with(server)) share.reset();
    for (const live of this.#options.calls.open()) background(this.#options.log, 'share a call', this.#offer(live));
  }

  linkDown(server: ServerName, reason: string): void {
    const { log, clock } = this.#options;
    this.#up.delete(server);
    this.#lost.add(server);
    this.#look();
    if (this.#stopped) return;
    log.warn('neighbour lost', { peer: server, reason });
    for (const share of this.#shares.with(server)) {
      // Media may go on without the link: the pipe stays until the people go or a new link brings a new one.
      for (const { id, via } of share.live.call.participants.values()) if (via === server) share.live.tellQuality({ participant: id, level: 'poor', score: 0 });
      share.cancelDeparture?.();
      share.cancelDeparture = clock.after(departureMs, () => {
        background(log, 'let people of a lost neighbour go', this.#letGo(share));
      });
    }
  }

  notFound(): void {
    this.#look();
  }

  received(peer: ServerName, message: PeerMessage): void {
    if (message.type === 'ticket' || message.type === 'ticketAnswer') {
      this.#options.tickets.received(peer, message);
      return;
    }
    if (message.type === 'call') {
      const take = (): Promise<void> => this.#called(peer, message);
      // What follows on the link must find the call taken.
      background(this.#options.log, 'take a call of a neighbour', this.#shares.get(peer, message.room)?.inOrder(take) ?? take());
      return;
    }
    const share = this.#shares.get(peer, message.room);
    if (share === undefined) return;
    background(this.#options.log, 'follow a neighbour', share.inOrder(() => this.#follow(share, message)));
  }

  async #follow(share: Share, message: Exclude<PeerMessage, Message<'ticket' | 'ticketAnswer' | 'call'>>): Promise<void> {
    if (message.type === 'callRefused') {
      share.offered = false;
      share.refusedAtMs = this.#options.clock.nowMs();
      this.#look();
      return;
    }
    if (message.type === 'leave') return this.#left(share);
    if (!share.isOn) return;
    switch (message.type) {
      case 'people':
        await this.#roster.announced(share, message.people);
        this.#border.expect(share);
        return;
      case 'person':
        await this.#roster.changed(share, message.person);
        this.#border.expect(share);
        return;
      case 'gone':
        await this.#roster.gone(share, message.id, message.reason === 'other' ? 'clientLeft' : message.reason);
        this.#border.expect(share);
        return;
      case 'speakers':
        share.live.tellSpeakers(share.peer, message.speakers.flatMap(({ id, level }) => speaker(share, id, level)));
        return;
      case 'quality':
        for (const { participant } of speaker(share, message.id, 0)) share.live.tellQuality({ participant, level: message.level, score: message.score });
        return;
      case 'end':
        return this.#ordered(share, message);
      case 'media':
      case 'want':
      case 'unwant':
      case 'offer':
      case 'refused':
      case 'path':
        return this.#border.received(share, message);
      default:
        message satisfies never;
    }
  }

  /** Tells each neighbour with a member in the room that there is a call, once per link. */
  async #offer(live: LiveCall): Promise<void> {
    const { links, clock } = this.#options;
    const { room } = live.call;
    await this.#seek(room);
    for (const peer of links.neighbours()) {
      if (this.#shares.get(peer, room) === undefined && (await this.#isPresent(room, peer)) && this.#shares.get(peer, room) === undefined && live.call.endedAtMs === undefined) this.#shares.add(new Share(peer, live));
      const share = this.#shares.get(peer, room);
      const refusedLately = share?.refusedAtMs !== undefined && share.refusedAtMs + refusalKeptMs > clock.nowMs();
      if (share?.live === live && this.#up.has(peer) && !share.offered && !refusedLately && live.call.endedAtMs === undefined) this.#sayCall(share);
    }
  }

  /** Where any server may be a neighbour: looks for the bridges of those that have people in the room. */
  async #seek(room: RoomId): Promise<void> {
    const { links, directory } = this.#options;
    if (!links.acceptsAny) return;
    const members = await directory.members(room);
    if (members.ok) links.seek(new Set(members.value.map(serverOf)));
  }

  async #called(peer: ServerName, { room, startedBy, startedAtMs, owner, term, page }: Message<'call'>): Promise<void> {
    const { calls, links, server, pages } = this.#options;
    if (!(await this.#isPresent(room, peer)) || !(await this.#isPresent(room, server))) {
      this.#shares.refuse(peer, 'call', { room });
      links.send(peer, { type: 'callRefused', room, code: 'forbidden' });
      return;
    }
    const speaks = owner === server || owner === peer || links.isNeighbour(owner) ? owner : peer;
    const usable = page !== undefined && (await pages.allows(page));
    const live = await calls.join({ room, startedBy, startedAtMs, owner: speaks, term });
    if (!live.ok) return;
    const known = this.#shares.get(peer, room);
    const share = known?.live === live.value ? known : new Share(peer, live.value);
    if (share !== known) this.#shares.add(share);
    share.cancelDeparture?.();
    share.cancelDeparture = undefined;
    share.refusedAtMs = undefined;
    const again = share.accepted;
    share.accepted = true;
    if (!share.offered) this.#sayCall(share);
    this.#look();
    await this.#setPage(share, usable ? page : undefined);
    if (again) return;
    this.#roster.announce(share);
    this.#border.open(share);
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }

  /** The notice names every organisation's page. */
  async #setPage(share: Share, page: string | undefined): Promise<void> {
    if (this.#pages.get(share) === page) return;
    if (page === undefined) this.#pages.delete(share);
    else this.#pages.set(share, page);
    await share.live.apply({ type: 'refreshNotice' });
  }

  #sayCall(share: Share): void {
    const { room, slug, startedBy, startedAtMs, owner, term } = share.live.call;
    share.offered = this.#shares.send(share, { type: 'call', room, startedBy, startedAtMs, owner: owner ?? this.#options.server, term, page: this.#options.pages.of(slug) });
  }

  /** The people of a lost neighbour leave; if its bridge spoke for the call, the first of those that are left speaks now. */
  async #letGo(share: Share): Promise<void> {
    const { server, log } = this.#options;
    const { live, peer } = share;
    share.reset();
    await this.#clear(share);
    const { call } = live;
    if (call.owner !== peer || call.endedAtMs !== undefined) return;
    const others = this.#shares.of(live).filter(({ isOn }) => isOn);
    if ([server, ...others.map((each) => each.peer)].toSorted()[0] !== server) return;
    log.info('speaking for a call whose bridge was lost', { call: call.id, room: call.room, peer });
    await live.apply({ type: 'adopt', owner: undefined, term: call.term + 1, startedBy: call.startedBy, startedAtMs: call.startedAtMs });
    for (const other of others) this.#sayCall(other);
  }

  async #ordered(share: Share, { by }: Message<'end'>): Promise<void> {
    const { directory, calls } = this.#options;
    const levels = await directory.powerLevels(share.room);
    if (serverOf(by) === share.peer && levels.ok && mayEnd(by, share.live.call, levels.value)) await calls.endNow(share.live, by);
    else this.#shares.refuse(share.peer, 'order', { by });
  }

  async #left(share: Share): Promise<void> {
    share.reset();
    // Its call may be over, and ours about to be: offered again at once, it would begin anew. Whoever goes on says so.
    share.refusedAtMs = this.#options.clock.nowMs();
    await this.#clear(share);
    this.#border.expect(share);
  }

  async #clear(share: Share): Promise<void> {
    await this.#roster.clear(share);
    await this.#border.parted(share);
  }

  async #isPresent(room: RoomId, server: ServerName): Promise<boolean> {
    const present = await this.#options.directory.hasMember(room, (user) => serverOf(user) === server);
    return present.ok && present.value === true;
  }

  async #statusOf(link: PeerStatus): Promise<NeighbourStatus> {
    const shares = this.#shares.with(link.server);
    const pipes = await Promise.all(shares.map(async ({ pipe }) => (await pipe?.catch(() => undefined))?.stats().catch(() => undefined)));
    const sum = (of: (stats: PipeStats) => number): number => pipes.reduce((total, stats) => total + (stats === undefined ? 0 : of(stats)), 0);
    return {
      ...link,
      calls: shares.filter(({ isOn }) => isOn).length,
      people: shares.reduce((total, { live }) => total + [...live.call.participants.values()].filter(({ via }) => via === link.server).length, 0),
      tracksReceived: shares.reduce((total, { flowing }) => total + flowing.size, 0),
      stalledCalls: shares.filter(({ stalled, deaf }) => stalled || deaf).length,
      callsWithoutPipe: shares.filter(({ pipeFault }) => pipeFault !== undefined).length,
      pipeFault: shares.find(({ pipeFault }) => pipeFault !== undefined)?.pipeFault,
      bytesSent: sum(({ bytesSent }) => bytesSent),
      bytesReceived: sum(({ bytesReceived }) => bytesReceived),
      packetsLost: sum(({ packetsLost }) => packetsLost),
      refusals: { ...link.refusals, ...this.#shares.refusals(link.server) },
    };
  }
}

function speaker({ peer, live }: Share, id: ParticipantId, level: number): SpeakerLevel[] {
  const participant = mirroredPerson(peer, id);
  return live.call.participants.get(participant)?.via === peer ? [{ participant, level }] : [];
}
