// A session over a real socket, with a door that the spec holds: the order of what a client hears.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { DisconnectReason, LeaveRequest_Action, ParticipantInfo_State } from '@livekit/protocol';
import { callError } from '../../src/call/errors.ts';
import type { MediaEndpoint } from '../../src/control/ports/media-plane.ts';
import type { CallDoor, JoinedSession, JoinRequest, SessionControl } from '../../src/control/ports/session.ts';
import { createSignallingServer } from '../../src/livekit/signalling-server.ts';
import { silentLogger } from '../../src/log/logger.ts';
import { err, ok } from '../../src/util/result.ts';
import { alice, bob, callId, participant } from '../support/builders.ts';
import { closeServer, portOf } from '../support/call-host.ts';
import { realClock } from '../support/clocks.ts';
import { eventually } from '../support/eventually.ts';
import { aTransport, routerCapabilities } from '../support/media.ts';
import { RawClient } from '../support/raw-client.ts';

const self = participant(alice, { device: 'A', identity: `${alice}:A` });
const never = (): never => assert.fail('not part of this spec');

describe('A session', () => {
  let stack: AsyncDisposableStack;
  let left: string[];

  beforeEach(() => {
    stack = new AsyncDisposableStack();
    left = [];
  });
  afterEach(() => stack.disposeAsync());

  const control: SessionControl = {
    becameActive: () => Promise.resolve(),
    announceTrack: never,
    trackPublished: never,
    trackUnpublished: never,
    setMuted: never,
    updateTrack: never,
    updateSelf: never,
    reportQuality: () => undefined,
    refreshTicket: () => Promise.resolve('ticket'),
    leave: (reason) => Promise.resolve(void left.push(reason)),
  };
  const endpoint: MediaEndpoint = {
    publisher: aTransport, subscriber: aTransport, connect: never, restartIce: never, produce: never, setProducerPaused: never, closeProducer: never, consume: () => Promise.resolve(undefined), waitsFor: () => false,
    setConsumerPaused: never, setPreferredLayers: never, setPriority: never, requestKeyFrame: never, closeConsumer: never, quality: never, close: never,
  };
  const joined: JoinedSession = { callId: callId('C_abcdefgh'), startedAtMs: 0, self, others: [], endpoint, rtpCapabilities: routerCapabilities(), control };

  async function connect(join: CallDoor['join']): Promise<RawClient> {
    const signalling = createSignallingServer({ door: { validate: () => Promise.resolve(ok({ callId: joined.callId, identity: self })), join }, clock: realClock, log: silentLogger });
    const http = createServer();
    http.on('upgrade', (request, socket, head) => {
      signalling.handleUpgrade(request, socket, head);
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    stack.defer(() => closeServer(http));
    stack.defer(() => signalling.close());
    return stack.use(await RawClient.connect(`ws://127.0.0.1:${portOf(http)}/rtc?access_token=x`));
  }

  it('sends join first, then what the call told meanwhile, in order', async () => {
    const other = participant(bob);
    const client = await connect(({ sink }: JoinRequest) => {
      sink.participantsChanged({ changed: [other], left: [], count: 2 });
      sink.participantsChanged({ changed: [], left: [{ participant: other, reason: 'clientLeft' }], count: 1 });
      return Promise.resolve(ok(joined));
    });
    await client.get('update', 1);
    assert.equal(client.kinds[0], 'join');
    assert.deepEqual(client.all('update').map(({ participants }) => participants.map(({ state }) => state)), [[ParticipantInfo_State.JOINED], [ParticipantInfo_State.DISCONNECTED]]);
  });

  it('never tells a client of its own departure, nor of people who are awaited back', async () => {
    const earlier = participant(alice, { identity: self.identity });
    const lost = participant(bob, { state: 'lost' });
    const client = await connect(({ sink }: JoinRequest) => {
      sink.participantsChanged({ changed: [lost], left: [{ participant: earlier, reason: 'connectionLost' }], count: 2 });
      sink.participantsChanged({ changed: [{ ...self, name: 'Alice', version: 2 }], left: [], count: 2 });
      return Promise.resolve(ok({ ...joined, others: [lost] }));
    });
    const join = await client.get('join');
    assert.deepEqual(join.otherParticipants, []);
    const update = await client.get('update');
    assert.deepEqual(update.participants.map(({ identity, name }) => [identity, name]), [[self.identity, 'Alice']]);
    assert.equal(client.all('update').length, 1);
  });

  it('leaves the call when the client went away before it was in', async () => {
    let letIn = (): void => undefined;
    const client = await connect(() => new Promise((resolve) => {
      letIn = () => resolve(ok(joined));
    }));
    client[Symbol.dispose]();
    await client.closed();
    await eventually(() => {
      letIn();
      return left.length === 1 ? undefined : 'nobody left the call';
    });
    assert.deepEqual(left, ['connectionLost']);
  });

  it('says that it cannot join, when the door refuses after the upgrade or fails', async () => {
    for (const join of [() => Promise.resolve(err(callError('full', 'ten people'))), () => Promise.reject(new Error('a fault'))]) {
      const client = await connect(join);
      const leave = await client.get('leave');
      assert.deepEqual([leave.action, leave.reason], [LeaveRequest_Action.DISCONNECT, DisconnectReason.JOIN_FAILURE]);
      await client.closed();
    }
    assert.deepEqual(left, []);
  });

  it('tells speakers and quality only to who can show them', async () => {
    let request: JoinRequest | undefined;
    const client = await connect((given) => {
      request = given;
      return Promise.resolve(ok(joined));
    });
    await client.get('refreshToken');
    const tell = (): void => {
      request?.sink.speakersChanged([{ participant: self.id, level: 0.5 }]);
      request?.sink.qualityChanged({ participant: self.id, level: 'good', score: 3 });
    };
    tell();
    request?.endpointListener.transportStateChanged('subscriber', 'connected');
    request?.sink.speakersChanged([]);
    tell();
    await client.get('connectionQuality');
    assert.equal(client.all('speakersChanged').length, 1);
    assert.equal(client.all('connectionQuality').length, 1);
  });

  it('is over once, whoever ends it', async () => {
    let request: JoinRequest | undefined;
    const client = await connect((given) => {
      request = given;
      return Promise.resolve(ok(joined));
    });
    await client.get('refreshToken');
    request?.sink.close('membershipLost');
    request?.sink.close('callEnded');
    request?.sink.participantsChanged({ changed: [self], left: [], count: 1 });
    await client.closed();
    assert.deepEqual(client.all('leave').map(({ reason }) => reason), [DisconnectReason.PARTICIPANT_REMOVED]);
    assert.deepEqual(left, []);
  });
});
