// Owns the way from a ticket to a session in a call, and what a session may do there.
import { callError, type CallError } from '../call/errors.ts';
import { isParticipantId, isTrackId, parse, type ParticipantId, type ServerName, type TrackId } from '../call/ids.ts';
import type { CallInput } from '../call/messages.ts';
import type { Participant } from '../call/participant.ts';
import type { Track } from '../call/track.ts';
import type { Logger } from '../log/logger.ts';
import { asError } from '../util/background.ts';
import { err, ok, type Result } from '../util/result.ts';
import { identityIn } from './admission.ts';
import type { CallRegistry } from './call-registry.ts';
import type { LiveCall } from './live-call.ts';
import type { Clock, Random } from './ports/clock.ts';
import type { CallMedia, MediaEndpoint } from './ports/media-plane.ts';
import type { Observer } from './ports/observer.ts';
import type { RoomDirectory } from './ports/room-directory.ts';
import type { AdmittedTicket, CallDoor, JoinedSession, JoinRequest, SessionControl } from './ports/session.ts';
import type { Tickets } from './ports/tickets.ts';

export interface CallDoorOptions {
  readonly calls: CallRegistry;
  readonly tickets: Tickets;
  readonly directory: RoomDirectory;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly observer: Observer;
  /** The short name of an organisation, as people see it. */
  readonly labelOf: (server: ServerName) => string;
}

export function createCallDoor(options: CallDoorOptions): CallDoor {
  return {
    validate: (ticket) => check(options, ticket),
    join: async (request) => {
      const startedMs = options.clock.nowMs();
      const result = await join(options, request);
      const seconds = (options.clock.nowMs() - startedMs) / 1000;
      options.observer.joined(result.ok ? 'joined' : 'refused', result.ok ? '' : result.error.code, seconds);
      if (!result.ok) options.log.info('join refused', { code: result.error.code, detail: result.error.detail });
      return result;
    },
  };
}

/** The ticket says who somebody was when it was written; the room says who they are now. */
async function check({ calls, tickets, directory }: CallDoorOptions, text: string): Promise<Result<AdmittedTicket & { readonly live: LiveCall }, CallError>> {
  const ticket = await tickets.verify(text);
  if (!ticket.ok) return ticket;
  const { callId, identity } = ticket.value;
  const live = calls.byId(callId);
  if (live === undefined) return err(callError('callEnded', `call ${callId} does not run`));
  if (calls.draining) return err(callError('draining', 'the bridge is stopping', 5000));
  const now = await identityIn(directory, live.call.room, identity.user, identity.device);
  return now.ok ? ok({ callId, identity: { ...now.value, identity: identity.identity }, live }) : now;
}

async function join(options: CallDoorOptions, request: JoinRequest): Promise<Result<JoinedSession, CallError>> {
  const { clock, random, log } = options;
  const admitted = await check(options, request.ticket);
  if (!admitted.ok) return admitted;
  const { live, identity, callId } = admitted.value;
  const id = parse(isParticipantId, `PA_${random.base32(14)}`, 'participant id');
  const media = await openEndpoint(options, live, id, request);
  if (!media.ok) return media;
  const { callMedia, endpoint } = media.value;
  const participant: Participant = {
    ...identity,
    id,
    via: undefined,
    joinedAtMs: clock.nowMs(),
    state: 'joining',
    metadata: '',
    attributes: new Map<string, string>([['user_id', identity.user], ['organisation', options.labelOf(identity.server)]]),
    tracks: new Map(),
    profile: request.profile,
    version: 1,
  };
  const others: Participant[] = [];
  const joined = await live.apply({ type: 'join', participant }, (call) => {
    others.push(...[...call.participants.values()].filter((other) => other.id !== id && other.state !== 'lost'));
    live.attach(id, { sink: request.sink, endpoint });
  });
  if (!joined.ok) {
    endpoint.close();
    return joined;
  }
  log.info('participant joined', { call: callId, participant: id, user: identity.user, people: joined.value.participants.size });
  return ok({ callId, startedAtMs: live.call.startedAtMs, self: participant, others, endpoint, rtpCapabilities: callMedia.rtpCapabilities, control: sessionControl(options, live, participant) });
}

async function openEndpoint({ log }: CallDoorOptions, live: LiveCall, id: ParticipantId, request: JoinRequest): Promise<Result<{ readonly callMedia: CallMedia; readonly endpoint: MediaEndpoint }, CallError>> {
  try {
    const callMedia = await live.media();
    return ok({ callMedia, endpoint: await callMedia.endpoint(id, request.endpointListener) });
  } catch (error) {
    log.error('no media for a newcomer', { call: live.call.id, error: asError(error) });
    return err(callError('mediaUnavailable', asError(error).message, 3000));
  }
}

function sessionControl({ tickets, clock, random, log }: CallDoorOptions, live: LiveCall, { id, user, identity: _identity, ...rest }: Participant): SessionControl {
  const identity = { ...rest, identity: _identity, user };
  const self = async (input: CallInput): Promise<Result<Participant, CallError>> => {
    const result = await live.apply(input);
    if (!result.ok) return result;
    const participant = result.value.participants.get(id);
    return participant === undefined ? err(callError('callEnded', `participant ${id} is not in the call`)) : ok(participant);
  };
  const track = async (trackId: TrackId, input: CallInput): Promise<Result<Track, CallError>> => {
    const participant = await self(input);
    if (!participant.ok) return participant;
    const found = participant.value.tracks.get(trackId);
    return found === undefined ? err(callError('trackUnknown', `no track ${trackId}`)) : ok(found);
  };
  return {
    becameActive: async () => {
      await live.apply({ type: 'becameActive', participant: id });
    },
    announceTrack: (description) => {
      const trackId = parse(isTrackId, `TR_${random.base32(14)}`, 'track id');
      return track(trackId, { type: 'announceTrack', participant: id, track: { ...description, id: trackId, published: false } });
    },
    trackPublished: (trackId) => track(trackId, { type: 'publishTrack', participant: id, track: trackId }),
    trackUnpublished: async (trackId) => {
      await live.apply({ type: 'removeTrack', participant: id, track: trackId });
    },
    setMuted: (trackId, muted) => track(trackId, { type: 'changeTrack', participant: id, track: trackId, change: { muted } }),
    updateTrack: (trackId, change) => track(trackId, { type: 'changeTrack', participant: id, track: trackId, change }),
    updateSelf: (change) => self({ type: 'changeSelf', participant: id, ...change }),
    reportQuality: (quality) => {
      live.reportQuality(quality);
    },
    refreshTicket: () => tickets.mint(live.call.id, identity),
    leave: async (reason) => {
      live.detach(id);
      await live.apply({ type: 'leave', participant: id, reason, nowMs: clock.nowMs() });
      log.info('participant left', { call: live.call.id, participant: id, user, reason });
    },
  };
}
