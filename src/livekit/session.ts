// Owns one client's session from its socket to its end: what it asks goes to the call, what the call tells goes to it.
import { ParticipantUpdate, Pong, TrackSubscribed, type ICEServer } from '@livekit/protocol';
import type { WebSocket } from 'ws';
import type { CloseReason } from '../call/close-reason.ts';
import type { TrackId } from '../call/ids.ts';
import type { Clock } from '../control/ports/clock.ts';
import type { EndpointListener, SpeakerLevel, TransportSide, TransportState } from '../control/ports/media-plane.ts';
import type { CallDoor, ConnectionQuality, JoinedSession, ParticipantsChange, SessionSink } from '../control/ports/session.ts';
import type { Logger } from '../log/logger.ts';
import { asError, background } from '../util/background.ts';
import { Broadcasts } from './broadcasts.ts';
import type { ConnectRequest } from './connect-request.ts';
import { Inbox } from './inbox.ts';
import { Publisher } from './publisher.ts';
import { judgeConnection } from './quality-report.ts';
import { serveRequest } from './requests.ts';
import { SdpError } from './sdp-text.ts';
import { SessionTimers } from './session-timers.ts';
import { SignalSocket, type Incoming } from './signal-socket.ts';
import { Subscriber } from './subscriber.ts';
import { isPresent, toDeparted, toJoin, toJoinFailure, toLeave, toParticipant } from './wire-out.ts';

export interface SessionSettings {
  readonly serverVersion: string;
  readonly iceServers: readonly ICEServer[];
  readonly pingIntervalSeconds: number;
  readonly pingTimeoutSeconds: number;
  /** A session whose media is not up by then is ended. */
  readonly joinTimeoutMs: number;
}

export interface SessionOptions {
  readonly door: CallDoor;
  readonly request: ConnectRequest;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: SessionSettings;
  /** Called once, when nothing of it is left but the closing socket. */
  readonly ended: () => void;
}

/** What exists from the join on. */
interface Joined {
  readonly session: JoinedSession;
  readonly publisher: Publisher;
  readonly subscriber: Subscriber;
  readonly broadcasts: Broadcasts;
  readonly primary: TransportSide;
}

const maxWaitingTasks = 1_000;

export class Session implements SessionSink, EndpointListener {
  readonly #options: SessionOptions;
  readonly #socket: SignalSocket;
  readonly #inbox: Inbox;
  readonly #timers: SessionTimers;
  #log: Logger;
  #joined: Joined | undefined;
  /** What the call tells between its snapshot and our first message. */
  #early: ((joined: Joined) => void)[] = [];
  #ended = false;
  #active = false;
  #reconcileDue = false;

  constructor(ws: WebSocket, options: SessionOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#inbox = new Inbox({ maxWaiting: maxWaitingTasks, failed: (error) => this.#taskFailed(error) });
    this.#socket = new SignalSocket(ws, {
      received: (message) => this.#receive(message),
      garbled: (error) => {
        this.#log.info('client sent a malformed frame', { error });
        this.#leave('protocolError');
      },
      closed: () => this.#leave('connectionLost'),
    }, options.log);
    this.#timers = new SessionTimers(options.clock, {
      timedOut: (reason) => this.#leave(reason),
      refreshTicket: () => this.#refreshTicket(),
      measure: () => this.#measure(),
    }, options.settings);
    this.#inbox.push(() => this.#join());
  }

  /** The process stops: the client is told to come back; the call keeps the person. Post: the socket closes within two seconds. */
  stop(): void {
    this.#end(() => this.#socket.send({ case: 'leave', value: toLeave('bridgeStopping') }));
  }

  // What the call tells (SessionSink).

  participantsChanged(change: ParticipantsChange): void {
    this.#whenJoined((joined) => this.#tellParticipants(joined, change));
  }

  speakersChanged(speakers: readonly SpeakerLevel[]): void {
    // A client that is still connecting cannot show them.
    this.#whenJoined(({ broadcasts }) => {
      if (this.#active) broadcasts.speakers(speakers);
    });
  }

  qualityChanged(quality: ConnectionQuality): void {
    this.#whenJoined(({ broadcasts }) => {
      if (this.#active) broadcasts.quality(quality);
    });
  }

  close(reason: CloseReason): void {
    this.#log.debug('session closed by the call', { reason });
    this.#end(() => this.#socket.send({ case: 'leave', value: toLeave(reason) }));
  }

  // What its media tells (EndpointListener).

  transportStateChanged(side: TransportSide, state: TransportState): void {
    this.#whenJoined(({ primary, session }) => {
      this.#log.debug('transport state', { side, state });
      if (side !== primary) return;
      this.#timers.mediaState(state);
      if (state !== 'connected' || this.#active) return;
      this.#active = true;
      this.#push(() => session.control.becameActive());
    });
  }

  consumerClosed(track: TrackId): void {
    this.#whenJoined(({ subscriber }) => subscriber.consumerClosed(track));
  }

  consumerLayerChanged(track: TrackId, spatialLayer: number | undefined): void {
    this.#whenJoined(({ subscriber }) => subscriber.layerChanged(track, spatialLayer));
  }

  producerConsumed(track: TrackId): void {
    this.#whenJoined(() => this.#socket.send({ case: 'trackSubscribed', value: new TrackSubscribed({ trackSid: track }) }));
  }

  trackAvailable(track: TrackId): void {
    this.#whenJoined(({ subscriber }) => subscriber.trackAvailable(track));
  }

  // The way in.

  async #join(): Promise<void> {
    const { door, request, settings, clock } = this.#options;
    const result = await door.join({ ticket: request.ticket.reveal(), profile: request.profile, sink: this, endpointListener: this });
    if (!result.ok) {
      this.#log.info('join refused after the upgrade', { code: result.error.code, detail: result.error.detail });
      this.#end(() => this.#socket.send({ case: 'leave', value: toJoinFailure() }));
      return;
    }
    const session = result.value;
    if (this.#isEnded()) {
      await session.control.leave('connectionLost');
      return;
    }
    this.#log = this.#log.child({ call: session.callId, participant: session.self.id });
    const { maySubscribe } = session.self.permissions;
    const count = session.others.filter(isPresent).length + 1;
    const joined: Joined = {
      session,
      primary: maySubscribe ? 'subscriber' : 'publisher',
      publisher: new Publisher({ endpoint: session.endpoint, control: session.control, capabilities: session.rtpCapabilities, send: this.#send, log: this.#log }),
      subscriber: new Subscriber({ endpoint: session.endpoint, maySubscribe, autoSubscribe: request.autoSubscribe, send: this.#send, clock, changed: () => this.#reconcileSoon() }),
      broadcasts: new Broadcasts({ call: session, count, send: this.#send, clock }),
    };
    this.#joined = joined;
    this.#send({ case: 'join', value: toJoin({ joined: session, count, subscriberPrimary: maySubscribe, ...settings }) });
    joined.subscriber.begin();
    this.#timers.joined();
    for (const participant of session.others.filter(isPresent)) joined.subscriber.see(participant);
    const early = this.#early;
    this.#early = [];
    for (const tell of early) tell(joined);
    await this.#sendTicket(session);
  }

  #receive(message: Incoming): void {
    this.#timers.heard();
    switch (message.case) {
      // Answered at once: a keepalive must not wait for media.
      case 'ping':
        this.#send({ case: 'pong', value: BigInt(this.#options.clock.nowMs()) });
        return;
      case 'pingReq':
        this.#send({ case: 'pongResp', value: new Pong({ lastPingTimestamp: message.value.timestamp, timestamp: BigInt(this.#options.clock.nowMs()) }) });
        return;
      case 'leave':
        this.#leave('clientLeft');
        return;
      default:
        this.#push(() => this.#handle(message));
    }
  }

  async #handle(message: Incoming): Promise<void> {
    if (this.#joined === undefined || this.#ended) return;
    const { publisher, subscriber, session } = this.#joined;
    await serveRequest(message, { publisher, subscriber, control: session.control, protocol: this.#options.request.protocol, send: this.#send });
  }

  // The way out.

  readonly #send: SignalSocket['send'] = (message) => {
    if (!this.#ended) this.#socket.send(message);
  };

  #tellParticipants({ session, subscriber, broadcasts }: Joined, { changed, left, count }: ParticipantsChange): void {
    const { id, identity } = session.self;
    // An earlier session of the same person is not this one's departure.
    const departed = left.filter(({ participant }) => participant.identity !== identity);
    const present = changed.filter(isPresent);
    const participants = [...departed.map(({ participant, reason }) => toDeparted(participant, reason)), ...present.map(toParticipant)];
    if (participants.length > 0) this.#send({ case: 'update', value: new ParticipantUpdate({ participants }) });
    for (const { participant } of left) {
      subscriber.lose(participant.id);
      broadcasts.forget(participant.id);
    }
    for (const participant of present) if (participant.id !== id) subscriber.see(participant);
    broadcasts.count(count);
  }

  async #sendTicket({ control }: JoinedSession): Promise<void> {
    const ticket = await control.refreshTicket();
    this.#send({ case: 'refreshToken', value: ticket });
  }

  #refreshTicket(): void {
    const session = this.#joined?.session;
    if (session !== undefined) background(this.#log, 'refresh a ticket', this.#sendTicket(session));
  }

  #measure(): void {
    const session = this.#joined?.session;
    if (session === undefined) return;
    background(this.#log, 'measure a connection', session.endpoint.quality().then((quality) => {
      if (!this.#ended) session.control.reportQuality(judgeConnection(session.self.id, quality));
    }));
  }

  // Order and end.

  #whenJoined(tell: (joined: Joined) => void): void {
    if (this.#ended) return;
    if (this.#joined === undefined) this.#early.push(tell);
    else tell(this.#joined);
  }

  #reconcileSoon(): void {
    if (this.#reconcileDue) return;
    this.#reconcileDue = true;
    this.#push(async () => {
      this.#reconcileDue = false;
      await this.#joined?.subscriber.reconcile();
    });
  }

  #push(task: () => Promise<void>): void {
    if (this.#inbox.push(task)) return;
    this.#log.warn('client sends faster than it can be served');
    this.#leave('protocolError');
  }

  #taskFailed(error: unknown): void {
    if (this.#ended) return;
    if (error instanceof SdpError) this.#log.info('client sent an unusable session description', { error });
    else this.#log.error('session failed', { error: asError(error) });
    // Without a session nothing was promised yet; otherwise a new session may mend what went wrong.
    if (this.#joined === undefined) this.#end(() => this.#socket.send({ case: 'leave', value: toJoinFailure() }));
    else this.#leave(error instanceof SdpError ? 'protocolError' : 'mediaLost');
  }

  /** The session ends from this side: the call is told, and the client if it still listens. */
  #leave(reason: CloseReason): void {
    if (this.#ended) return;
    const control = this.#joined?.session.control;
    this.#end(() => {
      if (reason !== 'clientLeft') this.#socket.send({ case: 'leave', value: toLeave(reason) });
    });
    if (control !== undefined) background(this.#log, 'leave the call', control.leave(reason));
  }

  #end(farewell: () => void): void {
    if (this.#ended) return;
    farewell();
    this.#ended = true;
    this.#early = [];
    this.#timers.close();
    this.#inbox.close();
    this.#joined?.subscriber.close();
    this.#joined?.broadcasts.close();
    this.#socket.close();
    this.#options.ended();
  }

  // Read through a method: the compiler would remember what it saw before the wait.
  #isEnded(): boolean {
    return this.#ended;
  }
}
