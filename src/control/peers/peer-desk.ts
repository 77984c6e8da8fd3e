// Owns the calls shared with neighbours: tells them of our people, takes in theirs, opens and closes what crosses the border.
import type { CloseReason } from '../../call/close-reason.ts';
import { serverOf, type ParticipantId, type RoomId, type ServerName, type TrackId, type UserId } from '../../call/ids.ts';
import type { Participant } from '../../call/participant.ts';
import { roleOf } from '../../call/roles.ts';
import { mayEnd } from '../../call/rules.ts';
import type { Logger } from '../../log/logger.ts';
import { asError, background } from '../../util/background.ts';
import type { CallRegistry } from '../call-registry.ts';
import type { CallWatcher } from '../call-watcher.ts';
import type { LiveCall } from '../live-call.ts';
import type { Clock } from '../ports/clock.ts';
import type { SpeakerLevel } from '../ports/media-plane.ts';
import type { PeerLinks, PeerListener, PeerMessage, PeerPerson } from '../ports/peer-links.ts';
import type { RoomDirectory } from '../ports/room-directory.ts';
import type { ConnectionQuality, ParticipantsChange } from '../ports/session.ts';
import { Share } from './share.ts';
import { fromPeer, mirroredPerson, mirroredTrack, originalTrack, toPeer } from './translate.ts';

export interface PeerDeskOptions {
  /** The server name that we speak for. */
  readonly server: ServerName;
  readonly neighbours: ReadonlySet<ServerName>;
  readonly links: PeerLinks;
  readonly calls: Pick<CallRegistry, 'join' | 'inRoom' | 'open' | 'endNow'>;
  readonly directory: RoomDirectory;
  readonly clock: Clock;
  readonly log: Logger;
  readonly labelOf: (server: ServerName) => string;
  /** Requests for tickets and their answers: another desk's business. */
  readonly tickets: { received(peer: ServerName, message: Extract<PeerMessage, { type: 'ticket' | 'ticketAnswer' }>): void };
}

type Message<Type extends PeerMessage['type']> = Extract<PeerMessage, { type: Type }>;

/** docs/protocol/cascade.md §3. */
const departureMs = 15_000;
const withdrawalMs = 10_000;
/** A neighbour that has refused a call is asked again when something happens after this time. */
const refusalKeptMs = 5000;

export class PeerDesk implements PeerListener, CallWatcher {
  readonly #options: PeerDeskOptions;
  readonly #shares = new Map<string, Share>();
  readonly #up = new Set<ServerName>();
  readonly #deviceNumbers = new Map<ParticipantId, number>();
  #devices = 0;

  constructor(options: PeerDeskOptions) {
    this.#options = options;
  }

  /** Resolves when the neighbour shares the room's call, or after that time. */
  async shared(peer: ServerName, room: RoomId, withinMs: number): Promise<boolean> {
    const { clock } = this.#options;
    const untilMs = clock.nowMs() + withinMs;
    for (;;) {
      const share = this.#share(peer, room);
      if (this.#up.has(peer) && share?.isOn === true) return true;
      const leftMs = untilMs - clock.nowMs();
      if (leftMs <= 0 || share?.refusedAtMs !== undefined) return false;
      const { promise, resolve } = Promise.withResolvers<undefined>();
      clock.after(Math.min(20, leftMs), () => {
        resolve(undefined);
      });
      await promise;
    }
  }

  // What our calls do.

  started(live: LiveCall): void {
    background(this.#options.log, 'share a call', this.#offer(live));
  }

  changed(live: LiveCall, { changed, left }: Omit<ParticipantsChange, 'count'>): void {
    const ours = (participant: Participant): boolean => participant.via === undefined;
    for (const share of this.#sharesOf(live)) {
      if (!share.isOn) continue;
      for (const participant of changed.filter(ours)) this.#send(share, { type: 'person', room: share.room, person: this.#toPeer(participant) });
      for (const { participant, reason } of left.filter((each) => ours(each.participant))) this.#send(share, { type: 'gone', room: share.room, id: participant.id, reason });
      this.#expect(share);
    }
    for (const { participant } of left) this.#deviceNumbers.delete(participant.id);
    if (left.length > 0 || changed.length > 0) background(this.#options.log, 'share a call', this.#offer(live));
  }

  speakersChanged(live: LiveCall, speakers: readonly SpeakerLevel[]): void {
    const ours = speakers.flatMap(({ participant, level }) => (live.call.participants.get(participant)?.via === undefined ? [{ id: participant, level }] : []));
    for (const share of this.#sharesOf(live)) if (share.isOn) this.#send(share, { type: 'speakers', room: share.room, speakers: ours });
  }

  qualityChanged(live: LiveCall, { participant, level, score }: ConnectionQuality): void {
    for (const share of this.#sharesOf(live)) if (share.isOn) this.#send(share, { type: 'quality', room: share.room, id: participant, level, score });
  }

  demandChanged(live: LiveCall, track: TrackId, demand: { readonly layer: number | undefined } | undefined): void {
    for (const share of this.#sharesOf(live)) {
      const original = originalTrack(share.peer, track);
      if (original === undefined) continue;
      share.withdrawals.get(original)?.();
      share.withdrawals.delete(original);
      if (demand !== undefined) this.#want(share, original, demand.layer);
      else if (share.wanted.has(original)) share.withdrawals.set(original, this.#options.clock.after(withdrawalMs, () => {
        this.#unwant(share, track, original);
      }));
    }
  }

  mediaLost(live: LiveCall): void {
    for (const share of this.#sharesOf(live)) {
      this.#send(share, { type: 'leave', room: share.room });
      share.reset();
    }
    background(this.#options.log, 'share a call', this.#offer(live));
  }

  /** Each neighbour checks that they may. */
  ending(live: LiveCall, by: UserId): void {
    for (const share of this.#sharesOf(live)) this.#send(share, { type: 'end', room: share.room, by, atMs: this.#options.clock.nowMs() });
  }

  ended(live: LiveCall): void {
    for (const share of this.#sharesOf(live)) this.#stop(share);
    this.#wantLinks();
  }

  /** Somebody is no longer joined in the room: a neighbour without members there has no part in its call. */
  async memberGone(room: RoomId, user: UserId): Promise<void> {
    const share = this.#share(serverOf(user), room);
    if (share === undefined || (await this.#isPresent(room, share.peer))) return;
    await share.live.apply({ type: 'peerPeople', peer: share.peer, participants: [], nowMs: this.#options.clock.nowMs() });
    this.#stop(share);
    this.#wantLinks();
  }

  // What neighbours do.

  linkUp(server: ServerName): void {
    this.#up.add(server);
    this.#options.log.info('neighbour linked', { peer: server });
    for (const share of this.#shares.values()) if (share.peer === server) share.reset();
    for (const live of this.#options.calls.open()) background(this.#options.log, 'share a call', this.#offer(live));
  }

  linkDown(server: ServerName, reason: string): void {
    this.#up.delete(server);
    this.#options.log.warn('neighbour lost', { peer: server, reason });
    for (const share of this.#shares.values()) {
      if (share.peer !== server) continue;
      share.reset();
      share.cancelDeparture?.();
      share.cancelDeparture = this.#options.clock.after(departureMs, () => {
        background(this.#options.log, 'let people of a lost neighbour go', this.#letGo(share));
      });
    }
  }

  /** The people of a lost neighbour leave; if its bridge spoke for the call, the first of those that are left speaks now. */
  async #letGo(share: Share): Promise<void> {
    const { server, log, clock } = this.#options;
    const { live, peer } = share;
    await live.apply({ type: 'peerPeople', peer, participants: [], nowMs: clock.nowMs() });
    const { call } = live;
    if (call.owner !== peer || call.endedAtMs !== undefined) return;
    const left = [server, ...this.#sharesOf(live).filter(({ isOn }) => isOn).map((each) => each.peer)].toSorted();
    if (left[0] !== server) return;
    log.info('speaking for a call whose bridge was lost', { call: call.id, room: call.room, peer });
    await live.apply({ type: 'adopt', owner: undefined, term: call.term + 1, startedBy: call.startedBy, startedAtMs: call.startedAtMs });
    for (const other of this.#sharesOf(live)) if (other.isOn) this.#sayCall(other);
  }

  received(peer: ServerName, message: PeerMessage): void {
    if (message.type === 'ticket' || message.type === 'ticketAnswer') {
      this.#options.tickets.received(peer, message);
      return;
    }
    if (message.type === 'call') {
      background(this.#options.log, 'take a call of a neighbour', this.#called(peer, message));
      return;
    }
    const share = this.#share(peer, message.room);
    if (share === undefined) return;
    background(this.#options.log, 'follow a neighbour', share.inOrder(() => this.#follow(share, message)));
  }

  async #follow(share: Share, message: Exclude<PeerMessage, Message<'ticket' | 'ticketAnswer' | 'call'>>): Promise<void> {
    const { live, peer } = share;
    if (message.type === 'callRefused') {
      share.offered = false;
      share.refusedAtMs = this.#options.clock.nowMs();
      return;
    }
    if (message.type === 'leave') return this.#left(share);
    if (!share.isOn) return;
    switch (message.type) {
      case 'people':
        return this.#announced(share, message.people);
      case 'person':
        return this.#changedThere(share, message.person);
      case 'gone':
        return this.#goneThere(share, message.id, message.reason === 'other' ? 'clientLeft' : message.reason);
      case 'speakers':
        live.tellSpeakers(peer, message.speakers.flatMap(({ id, level }) => this.#speaker(share, id, level)));
        return;
      case 'quality':
        for (const { participant } of this.#speaker(share, message.id, 0)) live.tellQuality({ participant, level: message.level, score: message.score });
        return;
      case 'media':
        return this.#connectPipe(share, message);
      case 'want':
        return this.#wanted(share, message);
      case 'unwant':
        (await share.pipe)?.stopSending(message.track);
        return;
      case 'offer':
        return this.#offered(share, message);
      case 'refused':
        this.#options.log.info('neighbour refused a track', { peer, track: message.track, code: message.code });
        share.wanted.delete(message.track);
        return;
      case 'end':
        return this.#ordered(share, message);
      default:
        message satisfies never;
    }
  }

  /** Tells each neighbour with a member in the room that there is a call, once per link. */
  async #offer(live: LiveCall): Promise<void> {
    const { neighbours } = this.#options;
    for (const peer of neighbours) {
      if (live.call.endedAtMs !== undefined) return;
      const known = this.#share(peer, live.call.room);
      if (known === undefined) {
        if (!(await this.#isPresent(live.call.room, peer)) || this.#share(peer, live.call.room) !== undefined) continue;
        this.#shares.set(keyOf(peer, live.call.room), new Share(peer, live));
        this.#wantLinks();
      }
      const share = this.#share(peer, live.call.room);
      const refusedLately = share?.refusedAtMs !== undefined && share.refusedAtMs + refusalKeptMs > this.#options.clock.nowMs();
      if (share !== undefined && this.#up.has(peer) && !share.offered && !refusedLately) this.#sayCall(share);
    }
  }

  async #called(peer: ServerName, { room, startedBy, startedAtMs, owner, term }: Message<'call'>): Promise<void> {
    const { calls, links, server, neighbours, log } = this.#options;
    if (!(await this.#isPresent(room, peer)) || !(await this.#isPresent(room, server))) {
      log.warn('call of a neighbour refused', { peer, room, code: 'forbidden' });
      links.send(peer, { type: 'callRefused', room, code: 'forbidden' });
      return;
    }
    const speaks = owner === server || owner === peer || neighbours.has(owner) ? owner : peer;
    const live = await calls.join({ room, startedBy, startedAtMs, owner: speaks, term });
    if (!live.ok) return;
    const known = this.#share(peer, room);
    const share = known?.live === live.value ? known : new Share(peer, live.value);
    this.#shares.set(keyOf(peer, room), share);
    share.cancelDeparture?.();
    share.cancelDeparture = undefined;
    share.accepted = true;
    share.refusedAtMs = undefined;
    this.#wantLinks();
    if (!share.offered) this.#sayCall(share);
    this.#sayEverything(share);
  }

  #sayCall(share: Share): void {
    const { room, startedBy, startedAtMs, owner, term } = share.live.call;
    share.offered = this.#send(share, { type: 'call', room, startedBy, startedAtMs, owner: owner ?? this.#options.server, term });
  }

  #sayEverything(share: Share): void {
    const people = [...share.live.call.participants.values()].filter(({ via, state }) => via === undefined && state !== 'lost');
    this.#send(share, { type: 'people', room: share.room, people: people.map((participant) => this.#toPeer(participant)) });
    background(this.#options.log, 'open a pipe', this.#openPipe(share));
  }

  async #openPipe(share: Share): Promise<void> {
    const media = await share.live.media();
    share.pipe ??= media.pipe(share.peer);
    const { local } = await share.pipe;
    this.#expect(share);
    this.#send(share, { type: 'media', room: share.room, ...local });
  }

  async #connectPipe(share: Share, { address, port, srtp }: Message<'media'>): Promise<void> {
    if (share.pipeConnected) return;
    share.pipe ??= share.live.media().then((media) => media.pipe(share.peer));
    await (await share.pipe).connect({ address, port, srtp });
    share.pipeConnected = true;
  }

  async #announced(share: Share, people: readonly PeerPerson[]): Promise<void> {
    const participants: Participant[] = [];
    for (const person of people) participants.push(...(await this.#admit(share, person)));
    await share.live.apply({ type: 'peerPeople', peer: share.peer, participants, nowMs: this.#options.clock.nowMs() });
    this.#expect(share);
  }

  async #changedThere(share: Share, person: PeerPerson): Promise<void> {
    for (const participant of await this.#admit(share, person)) {
      const taken = await share.live.apply({ type: 'peerPerson', peer: share.peer, participant });
      if (!taken.ok) this.#options.log.warn('person of a neighbour refused', { peer: share.peer, code: taken.error.code });
    }
    this.#expect(share);
  }

  async #goneThere(share: Share, id: ParticipantId, reason: CloseReason): Promise<void> {
    const participant = mirroredPerson(share.peer, id);
    if (participant !== undefined) await share.live.apply({ type: 'peerGone', peer: share.peer, participant, reason, nowMs: this.#options.clock.nowMs() });
    this.#expect(share);
  }

  /** A person whom this neighbour may announce: its own, or hosted for a server without a bridge; joined in the room as we see it. */
  async #admit(share: Share, person: PeerPerson): Promise<Participant[]> {
    const { server, neighbours, directory, labelOf, log } = this.#options;
    const home = serverOf(person.user);
    const mayAnnounce = home === share.peer || (home !== server && !neighbours.has(home));
    const member = mayAnnounce ? await directory.member(share.room, person.user) : undefined;
    const levels = await directory.powerLevels(share.room);
    if (member?.ok !== true || member.value === undefined || !levels.ok) {
      log.warn('person of a neighbour refused', { peer: share.peer, user: person.user, code: 'forbidden' });
      return [];
    }
    const participant = fromPeer(share.peer, person, { role: roleOf(person.user, levels.value), label: labelOf(home) });
    return participant === undefined ? [] : [participant];
  }

  /** The media plane knows which tracks of this neighbour there are to want. */
  #expect(share: Share): void {
    const tracks = [...share.live.call.participants.values()].filter(({ via }) => via === share.peer).flatMap((participant) => [...participant.tracks.values()]);
    background(
      this.#options.log,
      'expect tracks',
      share.live.media().then((media) => {
        media.expect(share.peer, new Map(tracks.map(({ id, kind }) => [id, kind])));
      }),
    );
  }

  #want(share: Share, track: TrackId, layer: number | undefined): void {
    if (this.#send(share, { type: 'want', room: share.room, track, layer })) share.wanted.add(track);
  }

  #unwant(share: Share, mirrored: TrackId, track: TrackId): void {
    share.withdrawals.delete(track);
    share.wanted.delete(track);
    this.#send(share, { type: 'unwant', room: share.room, track });
    background(this.#options.log, 'stop receiving', Promise.resolve(share.pipe).then((pipe) => pipe?.stopReceiving(mirrored)));
  }

  async #wanted(share: Share, { track, layer: _layer }: Message<'want'>): Promise<void> {
    const owner = [...share.live.call.participants.values()].find(({ via, tracks }) => via === undefined && tracks.get(track)?.published === true);
    const sent = owner === undefined ? undefined : await (await share.pipe)?.send(track);
    if (sent === undefined) this.#send(share, { type: 'refused', room: share.room, track, code: 'unknown' });
    else this.#send(share, { type: 'offer', room: share.room, track, ...sent });
  }

  async #offered(share: Share, { track, kind, rtp, paused }: Message<'offer'>): Promise<void> {
    const mirrored = mirroredTrack(share.peer, track);
    if (mirrored === undefined || !share.wanted.has(track)) return;
    await (await share.pipe)?.receive(mirrored, { kind, rtp, paused });
  }

  async #ordered(share: Share, { by }: Message<'end'>): Promise<void> {
    const { directory, calls, log } = this.#options;
    const levels = await directory.powerLevels(share.room);
    if (serverOf(by) === share.peer && levels.ok && mayEnd(by, share.live.call, levels.value)) await calls.endNow(share.live, by);
    else log.warn('order of a neighbour refused', { peer: share.peer, by, code: 'forbidden' });
  }

  async #left(share: Share): Promise<void> {
    share.reset();
    await share.live.apply({ type: 'peerPeople', peer: share.peer, participants: [], nowMs: this.#options.clock.nowMs() });
    this.#expect(share);
  }

  #stop(share: Share): void {
    if (share.offered) this.#send(share, { type: 'leave', room: share.room });
    share.reset();
    share.cancelDeparture?.();
    this.#shares.delete(keyOf(share.peer, share.room));
  }

  #wantLinks(): void {
    this.#options.links.want(new Set([...this.#shares.values()].map(({ peer }) => peer)));
  }

  async #isPresent(room: RoomId, server: ServerName): Promise<boolean> {
    const present = await this.#options.directory.hasMember(room, (user) => serverOf(user) === server);
    return present.ok && present.value === true;
  }

  #speaker(share: Share, id: ParticipantId, level: number): SpeakerLevel[] {
    const participant = mirroredPerson(share.peer, id);
    return participant !== undefined && share.live.call.participants.get(participant)?.via === share.peer ? [{ participant, level }] : [];
  }

  #toPeer(participant: Participant): PeerPerson {
    const device = this.#deviceNumbers.get(participant.id) ?? ++this.#devices;
    this.#deviceNumbers.set(participant.id, device);
    return toPeer(participant, device);
  }

  #send(share: Share, message: PeerMessage): boolean {
    try {
      return this.#options.links.send(share.peer, message);
    } catch (error) {
      this.#options.log.error('message to a neighbour could not be sent', { peer: share.peer, type: message.type, error: asError(error) });
      return false;
    }
  }

  #share(peer: ServerName, room: RoomId): Share | undefined {
    return this.#shares.get(keyOf(peer, room));
  }

  #sharesOf(live: LiveCall): Share[] {
    return [...this.#shares.values()].filter((share) => share.live === live);
  }
}

function keyOf(peer: ServerName, room: RoomId): string {
  return `${peer} ${room}`;
}
