// The signalling protocol frame by frame, against the real calls and media.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AddTrackRequest, DisconnectReason, LeaveRequest, LeaveRequest_Action, MuteTrackRequest, ParticipantInfo_State, Ping, RequestResponse_Reason, SessionDescription, SignalRequest, SimulateScenario,
  TrackSource, TrackType, UpdateParticipantMetadata, UpdateSubscription, UpdateTrackSettings, VideoQuality, SubscriptionError, ClientInfo_Capability, SignalTarget,
} from '@livekit/protocol';
import { parse } from 'sdp-transform';
import { memberPermissions } from '../../src/call/roles.ts';
import { alice, bob } from '../support/builders.ts';
import { startCallHost, type CallHost, type CallHostOptions } from '../support/call-host.ts';
import { eventually } from '../support/eventually.ts';
import { offerText } from '../support/offers.ts';
import { RawClient } from '../support/raw-client.ts';

describe('The signalling server', () => {
  let host: CallHost | undefined;
  let clients: RawClient[] = [];
  const current = (): CallHost => host ?? assert.fail('no host was started');
  const start = async (options: CallHostOptions = {}): Promise<void> => {
    host = await startCallHost(options);
  };
  const address = async (user = alice, device = 'A', query = ''): Promise<string> => `${current().url}/rtc?access_token=${await current().ticket(user, device)}${query}`;
  const open = async (target: string, options: Parameters<typeof RawClient.connect>[1] = {}): Promise<RawClient> => {
    const client = await RawClient.connect(target, options);
    clients.push(client);
    return client;
  };
  const join = async (user = alice, device = 'A', query = '&protocol=16'): Promise<RawClient> => {
    const client = await open(await address(user, device, query));
    await client.get('refreshToken');
    return client;
  };
  const microphone = (cid = 'a4ff6fd0-3ca4-4fff-9111-41794e6bcffb', change: Partial<AddTrackRequest> = {}): AddTrackRequest => new AddTrackRequest({ cid, type: TrackType.AUDIO, source: TrackSource.MICROPHONE, name: 'mic', ...change });
  const camera = (cid = '881caf71-16a0-476f-8ffc-76d10ceb5efc'): AddTrackRequest => new AddTrackRequest({ cid, type: TrackType.VIDEO, source: TrackSource.CAMERA, width: 1280, height: 720, layers: [{ quality: VideoQuality.LOW, width: 320, height: 180 }, { quality: VideoQuality.HIGH, width: 1280, height: 720 }] });
  const offer = (id: number, sdp = offerText('chromium')): SessionDescription => new SessionDescription({ type: 'offer', sdp, id });

  afterEach(async () => {
    for (const client of clients) client[Symbol.dispose]();
    clients = [];
    await host?.[Symbol.asyncDispose]();
    host = undefined;
  });

  describe('before a session', () => {
    beforeEach(() => start());

    const http = (path: string, init: RequestInit = {}): Promise<Response> => fetch(`${current().url.replace('ws:', 'http:')}${path}`, init);

    it('refuses the path of protocol v1 so that clients fall back to v0', async () => {
      await assert.rejects(open(`${current().url}/rtc/v1?access_token=x`), /HTTP 404/);
      for (const path of ['/rtc/v1', '/rtc/v1/validate']) {
        const response = await http(path);
        assert.equal(response.status, 404);
        assert.equal(response.headers.get('access-control-allow-origin'), '*');
        assert.ok(!(await response.text()).includes('requested room does not exist'));
      }
    });

    it('takes the ticket from the query or the header, and no other', async () => {
      const ticket = await current().ticket(alice, 'A');
      await (await open(`${current().url}/rtc`, { headers: { authorization: `Bearer ${ticket}` } })).get('join');
      for (const target of ['/rtc', '/rtc?access_token=', '/rtc?access_token=nonsense', `/rtc?access_token=${ticket}x`]) await assert.rejects(open(`${current().url}${target}`), /HTTP 401/);
    });

    it('validates without joining', async () => {
      const ticket = await current().ticket(alice, 'A');
      const valid = await http(`/rtc/validate?access_token=${ticket}`);
      assert.deepEqual([valid.status, await valid.text(), valid.headers.get('access-control-allow-origin')], [200, 'success', '*']);
      assert.equal((await http('/rtc/validate', { headers: { authorization: `Bearer ${ticket}` } })).status, 200);
      assert.equal((await http('/rtc/validate?access_token=nonsense')).status, 401);
      assert.equal(current().live.call.participants.size, 0);
    });

    it('answers the probes of browsers', async () => {
      const head = await http('/', { method: 'HEAD' });
      assert.deepEqual([head.status, head.headers.get('access-control-allow-origin')], [200, '*']);
      const options = await http('/rtc/validate', { method: 'OPTIONS', headers: { origin: 'https://elsewhere.example', 'access-control-request-method': 'GET' } });
      assert.equal(options.status, 204);
      assert.match(options.headers.get('access-control-allow-headers') ?? '', /Authorization/);
      assert.equal((await http('/rtc')).status, 426);
      assert.equal((await http('/elsewhere')).status, 404);
      await assert.rejects(open(`${current().url}/elsewhere`));
    });

    it('refuses a ticket whose call has ended', async () => {
      const target = await address();
      await current().live.apply({ type: 'end', nowMs: Date.now() });
      await assert.rejects(open(target), /HTTP 403/);
    });

    it('sends newcomers away while it drains, and keeps who is in', async () => {
      const client = await join();
      current().signalling.drain();
      await assert.rejects(open(await address(bob, 'B')), /HTTP 503, retry after 5/);
      client.send({ case: 'ping', value: 1n });
      await client.get('pong');
    });
  });

  it('refuses more sessions than it may have', async () => {
    await start({ signalling: { maxSessions: 1 } });
    await join();
    await assert.rejects(open(await address(bob, 'B')), /HTTP 503/);
  });

  describe('at the join', () => {
    beforeEach(() => start());

    it('says who and what is there', async () => {
      const nowSeconds = Date.now() / 1_000;
      const first = await (await join(alice, 'A', '&protocol=16&client_protocol=2&capabilities=CAP_PACKET_TRAILER,CAP_COMPRESSION_DEFLATE_RAW,CAP_FROM_THE_FUTURE')).get('join');
      assert.equal(first.serverInfo?.version, '1.13.0');
      assert.equal(first.serverVersion, '1.13.0');
      assert.equal(first.clientConfiguration?.resumeConnection, 1);
      assert.deepEqual(first.enabledPublishCodecs.map(({ mime }) => mime), ['video/VP8', 'audio/opus']);
      assert.deepEqual([first.pingInterval, first.pingTimeout, first.subscriberPrimary], [5, 15, true]);
      assert.match(first.participant?.sid ?? '', /^PA_/);
      assert.equal(first.participant?.identity, `${alice}:A`);
      assert.deepEqual(first.participant.permission?.canPublishSources, [TrackSource.CAMERA, TrackSource.MICROPHONE, TrackSource.SCREEN_SHARE, TrackSource.SCREEN_SHARE_AUDIO]);
      assert.ok(Math.abs(Number(first.room?.creationTime) - nowSeconds) < 10);
      assert.equal(first.room?.numParticipants, 1);
      const second = await (await join(bob, 'B')).get('join');
      assert.deepEqual(second.otherParticipants.map(({ identity, clientProtocol, capabilities }) => ({ identity, clientProtocol, capabilities })), [
        { identity: `${alice}:A`, clientProtocol: 2, capabilities: [ClientInfo_Capability.CAP_PACKET_TRAILER, ClientInfo_Capability.CAP_COMPRESSION_DEFLATE_RAW] },
      ]);
    });

    it('sends join first, then an offer with the data channels alone, candidates of both kinds and a fresh ticket', async () => {
      const client = await join();
      assert.equal(client.kinds[0], 'join');
      const first = await client.get('offer');
      assert.equal(first.id, 1);
      assert.deepEqual(parse(first.sdp).media.map(({ type }) => type), ['application']);
      const candidates = client.all('trickle').map(({ candidateInit, target }) => [target, candidateInit]);
      assert.ok(candidates.every(([target]) => target === SignalTarget.SUBSCRIBER));
      assert.deepEqual(candidates.map(([, text]) => / (udp|tcp) /.exec(String(text))?.[1]).sort(), ['tcp', 'udp']);
      const again = await open(`${current().url}/rtc?access_token=${await client.get('refreshToken')}`);
      assert.equal((await again.get('join')).participant?.identity, `${alice}:A`);
    });

    it('answers an attempt to resume with the advice to come back anew', async () => {
      const client = await open(await address(alice, 'A', '&reconnect=1&sid=PA_unknown'));
      const leave = await client.get('leave');
      assert.deepEqual([leave.action, leave.reason], [LeaveRequest_Action.RECONNECT, DisconnectReason.STATE_MISMATCH]);
      await client.closed();
      assert.equal(current().live.call.participants.size, 0);
    });

    it('closes the first of two sessions of one identity before the others hear of the second', async () => {
      const first = await join();
      const witness = await join(bob, 'B');
      const second = await join();
      const leave = await first.get('leave');
      assert.deepEqual([leave.action, leave.reason], [LeaveRequest_Action.DISCONNECT, DisconnectReason.DUPLICATE_IDENTITY]);
      await first.closed();
      await eventually(() => (witness.all('update').length >= 2 ? undefined : 'the witness heard nothing'));
      const heard = witness.all('update').flatMap(({ participants }) => participants.map(({ state }) => state));
      assert.deepEqual(heard.slice(0, 2), [ParticipantInfo_State.DISCONNECTED, ParticipantInfo_State.JOINED]);
      assert.ok(second.all('update').every(({ participants }) => participants.every(({ state }) => state !== ParticipantInfo_State.DISCONNECTED)));
    });

    it('makes the publisher the first transport of who may not receive', async () => {
      await current()[Symbol.asyncDispose]();
      await start({ permissions: new Map([[alice, { ...memberPermissions, maySubscribe: false }]]) });
      assert.equal((await (await join()).get('join')).subscriberPrimary, false);
    });
  });

  describe('in a session', () => {
    beforeEach(() => start());

    it('answers both kinds of keepalive', async () => {
      const client = await join();
      client.send({ case: 'pingReq', value: new Ping({ timestamp: 7n, rtt: 1n }) });
      assert.equal((await client.get('pongResp')).lastPingTimestamp, 7n);
      client.send({ case: 'ping', value: 1n });
      await client.get('pong');
    });

    it('announces a track, then answers its offer under the same number, then shows it to the others', async () => {
      const publisher = await join();
      const viewer = await join(bob, 'B');
      publisher.send({ case: 'addTrack', value: microphone() });
      publisher.send({ case: 'addTrack', value: camera() });
      const published = await publisher.get('trackPublished', 1);
      assert.equal(published.cid, '881caf71-16a0-476f-8ffc-76d10ceb5efc');
      assert.match(published.track?.sid ?? '', /^TR_/);
      assert.equal(published.track?.mimeType, 'video/VP8');
      assert.deepEqual(published.track.codecs[0]?.layers.map(({ width }) => width), [320, 1280]);
      assert.equal(viewer.all('update').flatMap(({ participants }) => participants).filter(({ tracks }) => tracks.length > 0).length, 0);
      publisher.send({ case: 'offer', value: offer(5) });
      const answer = await publisher.get('answer');
      assert.equal(answer.id, 5);
      assert.deepEqual(parse(answer.sdp).media.map(({ direction }) => direction), ['recvonly', 'recvonly', 'recvonly', 'recvonly']);
      await eventually(() => (viewer.all('update').some(({ participants }) => participants.some(({ tracks }) => tracks.length === 2)) ? undefined : 'the viewer does not see both tracks'));
      assert.ok(publisher.all('trickle').some(({ target }) => target === SignalTarget.PUBLISHER));
    });

    it('offers the tracks of others one offer at a time, each with the names of its sections', async () => {
      const publisher = await join();
      const viewer = await join(bob, 'B');
      publisher.send({ case: 'addTrack', value: microphone() });
      publisher.send({ case: 'offer', value: offer(1) });
      await publisher.get('answer');
      await eventually(() => (viewer.all('update').some(({ participants }) => participants.some(({ tracks }) => tracks.length === 1)) ? undefined : 'the viewer does not see the track'));
      await sleep(100);
      assert.equal(viewer.all('offer').length, 1);
      const answer = offerText('native-placeholders').replaceAll('actpass', 'active');
      viewer.send({ case: 'answer', value: new SessionDescription({ type: 'answer', sdp: answer, id: 99 }) });
      await sleep(100);
      assert.equal(viewer.all('offer').length, 1);
      viewer.send({ case: 'answer', value: new SessionDescription({ type: 'answer', sdp: answer, id: 1 }) });
      const second = await viewer.get('offer', 1);
      assert.equal(second.id, 2);
      const sid = (await publisher.get('trackPublished')).track?.sid ?? '';
      const publisherSid = (await publisher.get('join')).participant?.sid ?? '';
      assert.deepEqual({ ...second.midToTrackId }, { 1: sid });
      assert.match(second.sdp, new RegExp(`a=msid:${publisherSid}\\|${sid} ${sid}`));
      assert.equal(publisher.all('trackSubscribed').length, 0);
      viewer.send({ case: 'answer', value: new SessionDescription({ type: 'answer', sdp: answer, id: 0 }) });
      assert.equal((await publisher.get('trackSubscribed')).trackSid, sid);
    });

    it('accepts a section before its track is announced, and offers of the number 0', async () => {
      const publisher = await join();
      const viewer = await join(bob, 'B');
      publisher.send({ case: 'offer', value: offer(0) });
      assert.equal((await publisher.get('answer')).id, 0);
      publisher.send({ case: 'addTrack', value: microphone() });
      await eventually(() => (viewer.all('update').some(({ participants }) => participants.some(({ tracks }) => tracks.length === 1)) ? undefined : 'the viewer does not see the track'));
    });

    it('takes the oldest announced track of the kind when the browser names it otherwise', async () => {
      const publisher = await join();
      const viewer = await join(bob, 'B');
      publisher.send({ case: 'addTrack', value: microphone('another name') });
      publisher.send({ case: 'offer', value: offer(1, offerText('firefox-shaped')) });
      await eventually(() => (viewer.all('update').some(({ participants }) => participants.some(({ tracks }) => tracks[0]?.source === TrackSource.MICROPHONE)) ? undefined : 'the viewer does not see the track'));
    });

    it('unpublishes the track of a section that falls silent, and takes the section again for another', async () => {
      const publisher = await join();
      const viewer = await join(bob, 'B');
      const latest = (): number | undefined => viewer.all('update').flatMap(({ participants }) => participants).filter(({ identity }) => identity === `${alice}:A`).at(-1)?.tracks.length;
      publisher.send({ case: 'addTrack', value: microphone() });
      publisher.send({ case: 'offer', value: offer(1) });
      await eventually(() => (latest() === 1 ? undefined : 'the track is not there'));
      publisher.send({ case: 'offer', value: offer(2, offerText('chromium').replaceAll('a=sendonly', 'a=inactive')) });
      await eventually(() => (latest() === 0 ? undefined : 'the track is still there'));
      assert.deepEqual(parse((await publisher.get('answer', 1)).sdp).media.map(({ direction }) => direction), ['inactive', 'inactive', 'inactive', 'inactive']);
      publisher.send({ case: 'addTrack', value: microphone('second microphone') });
      publisher.send({ case: 'offer', value: offer(3, offerText('chromium').replaceAll('a4ff6fd0-3ca4-4fff-9111-41794e6bcffb', 'second microphone'.replace(' ', '-'))) });
      await eventually(() => (latest() === 1 ? undefined : 'the second track is not there'));
    });

    it('mutes what is announced and what is published', async () => {
      const publisher = await join();
      const viewer = await join(bob, 'B');
      publisher.send({ case: 'addTrack', value: microphone() });
      const sid = (await publisher.get('trackPublished')).track?.sid ?? '';
      publisher.send({ case: 'mute', value: new MuteTrackRequest({ sid, muted: true }) });
      publisher.send({ case: 'offer', value: offer(1) });
      const muted = (): boolean | undefined => viewer.all('update').flatMap(({ participants }) => participants).at(-1)?.tracks[0]?.muted;
      await eventually(() => (muted() === true ? undefined : 'the track is not muted'));
      publisher.send({ case: 'mute', value: new MuteTrackRequest({ sid, muted: false }) });
      await eventually(() => (muted() === false ? undefined : 'the track is still muted'));
    });

    it('refuses what is no track of ours', async () => {
      const client = await join();
      client.send({ case: 'addTrack', value: microphone('x', { type: TrackType.DATA }) });
      client.send({ case: 'addTrack', value: microphone('x', { sid: 'TR_existing' }) });
      client.send({ case: 'addTrack', value: microphone('') });
      assert.equal((await client.get('requestResponse', 2)).reason, RequestResponse_Reason.UNSUPPORTED_TYPE);
    });

    it('refuses more tracks than allowed, and names the request', async () => {
      const client = await join();
      for (let i = 0; i < 5; i += 1) client.send({ case: 'addTrack', value: microphone(`track ${i}`) });
      const refusal = await client.get('requestResponse');
      assert.equal(refusal.reason, RequestResponse_Reason.LIMIT_EXCEEDED);
      assert.equal(refusal.request.case === 'addTrack' ? refusal.request.value.cid : '', 'track 4');
    });

    it('changes what people say of themselves, and refuses what is too much', async () => {
      const client = await join();
      const update = (requestId: number, change: Partial<UpdateParticipantMetadata>): void => client.send({ case: 'updateMetadata', value: new UpdateParticipantMetadata({ requestId, ...change }) });
      update(1, { name: 'Alice', attributes: { hand: 'up', role: 'participant' } });
      assert.equal((await client.get('requestResponse')).reason, RequestResponse_Reason.OK);
      const self = client.all('update').flatMap(({ participants }) => participants).at(-1);
      assert.deepEqual([self?.name, self?.attributes['hand'], self?.attributes['role'], self?.attributes['user_id']], ['Alice', 'up', 'participant', '@alice:interieur.example.org']);
      update(5, { attributes: { hand: 'down', user_id: '@mallory:evil.example.org' } });
      assert.deepEqual([(await client.get('requestResponse', 1)).reason, client.all('update').length], [RequestResponse_Reason.NOT_ALLOWED, 1]);
      update(2, { name: 'x'.repeat(257) });
      update(3, { metadata: 'x'.repeat(512 * 1024 + 1) });
      update(4, { attributes: { large: 'x'.repeat(64 * 1024) } });
      await client.get('requestResponse', 4);
      assert.deepEqual(client.all('requestResponse').slice(2).map(({ requestId, reason }) => [requestId, reason]), [2, 3, 4].map((id) => [id, RequestResponse_Reason.LIMIT_EXCEEDED]));
    });

    it('says that a track which somebody asks for is not there', async () => {
      const client = await join();
      client.send({ case: 'subscription', value: new UpdateSubscription({ trackSids: ['TR_nowhere'], subscribe: true }) });
      assert.equal((await client.get('subscriptionResponse')).err, SubscriptionError.SE_TRACK_NOTFOUND);
    });

    it('overlooks what it does not know, and what concerns tracks that have gone', async () => {
      const client = await join();
      client.sendFrame(Uint8Array.of(0xfa, 0x06, 0x00));
      client.send({ case: 'simulate', value: new SimulateScenario({ scenario: { case: 'speakerUpdate', value: 1 } }) });
      client.send({ case: 'mute', value: new MuteTrackRequest({ sid: 'nonsense', muted: true }) });
      client.send({ case: 'mute', value: new MuteTrackRequest({ sid: 'TR_nowhere', muted: true }) });
      client.send({ case: 'trackSetting', value: new UpdateTrackSettings({ trackSids: ['TR_nowhere', '…'], disabled: true }) });
      client.send({ case: 'answer', value: new SessionDescription({ type: 'answer', sdp: 'nonsense', id: 77 }) });
      client.send({ case: 'updateMetadata', value: new UpdateParticipantMetadata({ requestId: 9 }) });
      assert.equal((await client.get('requestResponse')).requestId, 9);
    });

    it('ends only the session that sends garbage', async () => {
      const bystander = await join(bob, 'B');
      for (const frame of [Uint8Array.of(0xff, 0xff, 0xff), 'text', new SignalRequest({ message: { case: 'offer', value: offer(1, 'nonsense') } }).toBinary()]) {
        const client = await join();
        client.sendFrame(frame);
        assert.equal((await client.get('leave')).action, LeaveRequest_Action.DISCONNECT);
        await client.closed();
      }
      bystander.send({ case: 'ping', value: 1n });
      await bystander.get('pong');
      await eventually(() => (current().live.call.participants.size === 1 ? undefined : 'the others are still in the call'));
    });

    it('ends the session of who leaves, and of whose connection breaks, at once', async () => {
      const witness = await join(bob, 'B');
      const leaver = await join();
      leaver.send({ case: 'leave', value: new LeaveRequest({ reason: DisconnectReason.CLIENT_INITIATED }) });
      await leaver.closed();
      assert.equal(leaver.all('leave').length, 0);
      const departures = () => witness.all('update').flatMap(({ participants }) => participants).filter(({ state }) => state === ParticipantInfo_State.DISCONNECTED).map(({ disconnectReason }) => disconnectReason);
      await eventually(() => (departures().length === 1 ? undefined : 'nobody left'));
      const broken = await join();
      broken[Symbol.dispose]();
      await eventually(() => (departures().length === 2 ? undefined : 'the broken one is still there'));
      assert.deepEqual(departures(), [DisconnectReason.CLIENT_INITIATED, DisconnectReason.CONNECTION_TIMEOUT]);
    });

    it('tells the number of people when it changes', async () => {
      const client = await join();
      await join(bob, 'B');
      assert.equal((await client.get('roomUpdate')).room?.numParticipants, 2);
    });

    it('tells everybody to come back when it closes, and waits until they are gone', async () => {
      const client = await join();
      await current().signalling.close();
      const leave = await client.get('leave');
      assert.deepEqual([leave.action, leave.reason], [LeaveRequest_Action.RECONNECT, DisconnectReason.SERVER_SHUTDOWN]);
      await client.closed();
      assert.equal(current().live.call.participants.size, 1);
    });

    it('tells why the call ended', async () => {
      const client = await join();
      await current().live.apply({ type: 'end', nowMs: Date.now() });
      const leave = await client.get('leave');
      assert.deepEqual([leave.action, leave.reason], [LeaveRequest_Action.DISCONNECT, DisconnectReason.ROOM_DELETED]);
      await client.closed();
    });
  });

  it('ends a session that says nothing any more', async () => {
    await start({ signalling: { pingTimeoutSeconds: 1 } });
    const client = await join();
    assert.equal((await client.get('leave')).reason, DisconnectReason.CONNECTION_TIMEOUT);
    await eventually(() => (current().live.call.participants.size === 0 ? undefined : 'the silent one is still in the call'));
  });

  it('ends a session whose media never comes up', async () => {
    await start({ signalling: { joinTimeoutMs: 500 } });
    const client = await join();
    assert.equal((await client.get('leave')).reason, DisconnectReason.JOIN_FAILURE);
    await client.closed();
  });

  it('gives up a client that does not read', async () => {
    await start({ signalling: { pingTimeoutSeconds: 600 } });
    const deaf = await join();
    const loud = await join(bob, 'B');
    deaf.pause();
    const metadata = 'x'.repeat(500 * 1024);
    for (let i = 0; i < 60 && current().live.call.participants.size === 2; i += 1) {
      loud.send({ case: 'updateMetadata', value: new UpdateParticipantMetadata({ requestId: i, metadata: `${metadata}${i}` }) });
      await loud.get('requestResponse', i);
    }
    await eventually(() => (current().live.call.participants.size === 1 ? undefined : 'the deaf client is still in the call'));
  });

  it('closes the connection over a message that is larger than allowed', async () => {
    await start({ signalling: { maxMessageBytes: 4_096 } });
    const client = await join();
    client.send({ case: 'updateMetadata', value: new UpdateParticipantMetadata({ metadata: 'x'.repeat(5_000) }) });
    await client.closed();
    await eventually(() => (current().live.call.participants.size === 0 ? undefined : 'still in the call'));
  });
});
