// Specifies a call shared by two bridges: rosters, demand, tickets, orders; what is refused, and what a lost link does.
import assert from 'node:assert/strict';
import { isEventId, parse, type UserId } from '../../src/call/ids.ts';
import { peopleByOrganisation } from '../../src/call/people.ts';
import { createHomePages } from '../../src/control/peers/home-pages.ts';
import type { JoinedSession } from '../../src/control/ports/session.ts';
import type { PeerMessage } from '../../src/control/ports/peer-links.ts';
import { alice, bob, carol, participant, powerLevels, roomId, rules, serverName, theRoom, track, userId } from '../support/builders.ts';
import { virtualClock } from '../support/clocks.ts';
import { controlEnv, deafEndpointListener, recordingSink, settled, type ControlEnv, type FakePipe, type RecordedSession } from '../support/control-env.ts';
import { Wire } from '../support/wire.ts';

const interieur = serverName('interieur.example.org');
const finances = serverName('finances.example.org');

describe('two bridges in one call', () => {
  let wire: Wire;
  let a: ControlEnv;
  let b: ControlEnv;

  beforeEach(() => {
    wire = new Wire();
    const clock = virtualClock();
    a = controlEnv([[theRoom, [alice, bob]]], { server: interieur, links: wire.links(interieur, finances), clock });
    b = controlEnv([[theRoom, [alice, bob]]], { server: finances, links: wire.links(finances, interieur), clock });
  });
  afterEach(async () => {
    await a.close();
    await b.close();
  });

  const start = async (env = a, by: UserId = alice): Promise<void> => {
    assert((await env.bridge.commands.start(theRoom, by, parse(isEventId, '$start', 'event id'))).ok);
    await settled();
  };
  const join = async (env: ControlEnv, user: UserId, device = 'DEV'): Promise<JoinedSession & { sink: RecordedSession }> => {
    const call = env.bridge.calls.inRoom(theRoom)?.call;
    assert(call !== undefined, 'no call runs here');
    const sink = recordingSink();
    const ticket = await env.bridge.tickets.mint(call.id, participant(user, { device }));
    const joined = await env.bridge.door.join({ ticket, profile: { clientProtocol: 1, capabilities: [] }, sink, endpointListener: deafEndpointListener });
    assert(joined.ok, joined.ok ? '' : joined.error.detail);
    await settled();
    return { ...joined.value, sink };
  };
  /** Alice shows her camera at her bridge; `mirrored` is what Bob's bridge calls it. */
  const cameraAcross = async () => {
    await start();
    const hers = await join(a, alice);
    await join(b, bob);
    const camera = await hers.control.announceTrack(track());
    assert(camera.ok);
    await hers.control.trackPublished(camera.value.id);
    await settled();
    const mirrored = [...(b.bridge.calls.inRoom(theRoom)?.call.participants.values() ?? [])].flatMap(({ tracks }) => [...tracks.keys()])[0];
    assert(mirrored !== undefined);
    return { hers, camera: camera.value.id, mirrored };
  };
  const pipeOf = (env: ControlEnv): FakePipe => env.opened.pipes.at(-1) ?? assert.fail('no pipe was opened');
  const users = (env: ControlEnv): string[] => [...(env.bridge.calls.inRoom(theRoom)?.call.participants.values() ?? [])].map(({ user }) => user).sort();
  const pass = async (ms: number): Promise<void> => {
    await a.pass(ms);
    await b.pass(0);
  };

  it('have one call, whose notice is posted once, by the bridge of who started it', async () => {
    await start();
    assert.notEqual(b.bridge.calls.inRoom(theRoom), undefined);
    assert.equal(b.bridge.calls.inRoom(theRoom)?.call.owner, interieur);
    await join(a, alice);
    await join(b, bob);
    await pass(12_000);
    assert.deepEqual(b.said, []);
    assert.deepEqual(a.said.filter(({ kind }) => kind === 'edit').at(-1)?.notice?.people, [{ server: finances, count: 1 }, { server: interieur, count: 1 }]);
  });

  it('show each person to the other side, with tracks, mutes and names, and take them away again', async () => {
    await start();
    const hers = await join(a, alice);
    const his = await join(b, bob);
    assert.deepEqual([users(a), users(b)], [[alice, bob], [alice, bob]]);
    const camera = await hers.control.announceTrack(track());
    assert(camera.ok);
    await settled();
    assert.equal(his.sink.lastChange()?.changed[0]?.tracks.size ?? 0, 0, 'a track that is only announced is not shown');
    await hers.control.trackPublished(camera.value.id);
    await settled();
    const mirrored = () => [...(his.sink.lastChange()?.changed[0]?.tracks.values() ?? [])][0];
    assert.deepEqual([mirrored()?.source, mirrored()?.published, mirrored()?.muted], ['camera', true, false]);
    await hers.control.setMuted(camera.value.id, true);
    await hers.control.updateSelf({ name: 'Alice B.' });
    await settled();
    assert.equal(mirrored()?.muted, true);
    assert.equal(his.sink.lastChange()?.changed[0]?.name, 'Alice B.');
    await hers.control.leave('clientLeft');
    await settled();
    assert.deepEqual(his.sink.lastChange()?.left.map(({ participant: { user }, reason }) => [user, reason]), [[alice, 'clientLeft']]);
    assert.deepEqual([users(a), users(b)], [[bob], [bob]]);
  });

  it('say nothing across the border that tells where or with what somebody is connected', async () => {
    await start();
    await join(a, alice, 'SECRETDEVICE');
    await join(b, bob);
    assert(!JSON.stringify(wire.sent, (_key, value: unknown) => (value instanceof Map ? [...value] : value)).includes('SECRETDEVICE'));
  });

  it('let a stream cross when somebody watches, and stop it a while after the last one', async () => {
    const { camera, mirrored } = await cameraAcross();
    assert.notEqual(mirrored, camera);
    for (const env of [a, b]) assert.equal(env.opened.pipes.length, 1);
    assert.deepEqual(pipeOf(a).remotes, [pipeOf(b).local]);
    assert.deepEqual(wire.of('want'), []);
    b.opened.media[0]?.demandChanged(mirrored, { layer: 2 });
    await settled();
    assert.deepEqual([...pipeOf(a).sending], [[camera, 2]]);
    assert.deepEqual([...pipeOf(b).receiving], [mirrored]);
    b.opened.media[0]?.demandChanged(mirrored, undefined);
    await pass(9000);
    assert.equal(pipeOf(a).sending.size, 1);
    await pass(2000);
    assert.equal(pipeOf(a).sending.size, 0);
    assert.equal(pipeOf(b).receiving.size, 0);
  });

  it('stop a layer a while after the last viewer of it turned away, and send it again at once', async () => {
    const { camera, mirrored } = await cameraAcross();
    const sentUpTo = async (layer: number): Promise<number | undefined> => {
      b.opened.media[0]?.demandChanged(mirrored, { layer });
      await settled();
      return pipeOf(a).sending.get(camera);
    };
    assert.equal(await sentUpTo(2), 2);
    assert.equal(await sentUpTo(0), 2);
    await pass(1900);
    assert.equal(pipeOf(a).sending.get(camera), 2);
    await pass(200);
    assert.equal(pipeOf(a).sending.get(camera), 0);
    assert.equal(await sentUpTo(1), 1);
    // Whoever looks away for a moment changes nothing.
    assert.equal(await sentUpTo(0), 1);
    assert.equal(await sentUpTo(1), 1);
    await pass(5000);
    assert.equal(pipeOf(a).sending.get(camera), 1);
  });

  it('refuse to send what is not theirs to send', async () => {
    await start();
    await join(a, alice);
    await join(b, bob);
    wire.deliver(interieur, finances, { type: 'want', room: theRoom, track: track().id, layer: 2 });
    await settled();
    assert.deepEqual(wire.of('refused', interieur).map((message) => message.type === 'refused' && message.code), ['unknown']);
  });

  it('send somebody who comes to the wrong door home', async () => {
    await start();
    const admitting = a.bridge.admission.admit({ proof: { kind: 'openId', token: { accessToken: bob, matrixServerName: finances } }, at: { kind: 'room', room: theRoom }, device: 'SECRETDEVICE01' });
    await settled();
    const admitted = await admitting;
    assert(admitted.ok);
    assert.equal(admitted.value.url, `wss://${finances}`);
    assert.deepEqual(wire.of('ticket').map((message) => message.type === 'ticket' && message.device), ['14-alias-of'], 'the device id does not cross');
    assert((await b.bridge.door.validate(admitted.value.ticket)).ok);
    assert.equal((await a.bridge.door.validate(admitted.value.ticket)).ok, false);
  });

  it('keep somebody at the wrong door until the link is there, or it is known that none comes, and no longer', async () => {
    const knock = () => a.bridge.admission.admit({ proof: { kind: 'openId', token: { accessToken: bob, matrixServerName: finances } }, at: { kind: 'room', room: theRoom }, device: 'D' });
    const startedMs = a.clock.nowMs();
    wire.hold();
    await start();
    let done = false;
    const first = knock().finally(() => (done = true));
    await settled();
    assert.equal(done, false);
    wire.mend();
    const admitted = await first;
    assert(admitted.ok);
    assert.equal(admitted.value.url, `wss://${finances}`);
    wire.cut();
    assert((await knock()).ok);
    assert.equal(a.clock.nowMs(), startedMs, 'nothing of it took time');
  });

  it('do not keep somebody at the door whose bridge was sought and is not there', async () => {
    wire.seek();
    await start();
    let done = false;
    const admitting = a.bridge.admission.admit({ proof: { kind: 'openId', token: { accessToken: bob, matrixServerName: finances } }, at: { kind: 'room', room: theRoom }, device: 'D' }).finally(() => (done = true));
    await settled();
    assert.equal(done, false);
    a.bridge.peers?.notFound();
    await settled();
    assert.equal(done, false, 'that was somebody else');
    wire.giveUp();
    const admitted = await admitting;
    assert(admitted.ok);
    assert.equal(admitted.value.url, undefined);
  });

  it('do not keep somebody at the door whose bridge refuses the call', async () => {
    b.world.members.get(theRoom)?.delete(bob);
    await start();
    const admitted = await a.bridge.admission.admit({ proof: { kind: 'openId', token: { accessToken: bob, matrixServerName: finances } }, at: { kind: 'room', room: theRoom }, device: 'D' });
    assert.equal(wire.of('callRefused', finances).length, 1);
    assert(admitted.ok);
    assert.equal(admitted.value.url, undefined);
  });

  it('let somebody in at the wrong door when their own bridge does not answer', async () => {
    await start();
    wire.cut();
    const admitting = a.bridge.admission.admit({ proof: { kind: 'openId', token: { accessToken: bob, matrixServerName: finances } }, at: { kind: 'room', room: theRoom }, device: 'D' });
    await pass(2500);
    const admitted = await admitting;
    assert(admitted.ok);
    assert.equal(admitted.value.url, undefined);
  });

  it('know each other\'s page of the call, for its people and for the notice, but none that people may not be sent to', async () => {
    const pageAt = (env: ControlEnv, server: string): string => `https://${server}/c/${env.bridge.calls.inRoom(theRoom)?.call.slug ?? ''}`;
    await start();
    const homes = createHomePages({ server: interieur, rooms: a.bridge.rooms, peers: a.bridge.peers ?? assert.fail() });
    const slugHere = a.bridge.calls.inRoom(theRoom)?.call.slug ?? '';
    assert.equal(homes.homeOf(slugHere, bob), pageAt(b, finances));
    assert.deepEqual([homes.homeOf(slugHere, alice), homes.homeOf(slugHere, '@x:else.example.org'), homes.homeOf(slugHere, 'bob'), homes.homeOf('a'.repeat(20), bob)], [undefined, undefined, undefined, undefined]);
    assert.deepEqual(createHomePages({ server: finances, rooms: b.bridge.rooms, peers: b.bridge.peers ?? assert.fail() }).framedBy(b.bridge.calls.inRoom(theRoom)?.call.slug ?? ''), [`https://${interieur}`]);
    assert.deepEqual(homes.framedBy('a'.repeat(20)), []);
    await pass(6000);
    assert.deepEqual(a.said.findLast(({ kind }) => kind !== 'widget')?.notice?.pages, [{ server: finances, url: pageAt(b, finances) }]);
    wire.cut();
    assert.equal(homes.homeOf(slugHere, bob), undefined, 'nobody is sent where the call may not be any more');
    wire.onTheWay = (message) => (message.type === 'call' ? { ...message, page: 'http://evil.example.org/c/x' } : message);
    wire.mend();
    await settled();
    assert.equal(homes.homeOf(slugHere, bob), undefined);
  });

  it('end the call for both when somebody ends it who may', async () => {
    await start();
    const hers = await join(a, alice);
    const his = await join(b, bob);
    b.world.levels = a.world.levels = powerLevels({ users: [[bob, 50]] });
    assert((await b.bridge.commands.end(theRoom, bob)).ok);
    await settled();
    assert.deepEqual([hers.sink.closed, his.sink.closed], [['callEnded'], ['callEnded']]);
    await pass(12_000);
    assert.equal(a.said.findLast(({ kind }) => kind === 'edit')?.notice?.state, 'ended');
  });

  it('do not follow an order that the room does not cover', async () => {
    await start();
    const hers = await join(a, alice);
    await join(b, bob);
    wire.deliver(interieur, finances, { type: 'end', room: theRoom, by: bob, atMs: 0 });
    wire.deliver(interieur, finances, { type: 'end', room: theRoom, by: alice, atMs: 0 });
    await settled();
    assert.deepEqual(hers.sink.closed, []);
  });

  const liar = (user: UserId): PeerMessage => ({ type: 'person', room: theRoom, person: { id: participant().id, user, device: 9, name: 'x', joinedAtMs: 0, active: true, metadata: '', attributes: new Map(), tracks: [] } });
  const lies: readonly (readonly [string, UserId])[] = [
    ['one of ours', alice],
    ['somebody who is not in the room', userId('@mallory:finances.example.org')],
    ['a stranger of a third server who is not in the room', userId('@x:else.example.org')],
  ];
  for (const [what, user] of lies) {
    it(`do not take ${what} from a neighbour`, async () => {
      await start();
      await join(a, alice);
      await join(b, bob);
      wire.deliver(interieur, finances, liar(user));
      await settled();
      assert.deepEqual(users(a), [alice, bob]);
    });
  }

  it('keep places for their own people, however many a neighbour announces', async () => {
    await start();
    const his = await join(b, bob);
    for (let n = 0; n < rules.maxParticipants * 2; n++) wire.deliver(interieur, finances, liar(bob));
    await settled();
    assert.equal([...(a.bridge.calls.inRoom(theRoom)?.call.participants.values() ?? [])].filter(({ user }) => user === bob).length, rules.maxParticipants);
    await join(a, alice);
    assert.equal(his.sink.closed.length, 0);
  });

  it('take a guest whom a neighbour hosts for a server without a bridge', async () => {
    const guest = userId('@guest:small.example.org');
    for (const env of [a, b]) env.world.members.get(theRoom)?.add(guest);
    await start();
    await join(b, guest);
    assert.deepEqual(users(a), [guest]);
  });

  it('refuse a call in a room where the neighbour has nobody, as if there were no room', async () => {
    await start();
    for (const room of [roomId('!other:interieur.example.org'), roomId('!none:x')]) {
      if (room.startsWith('!other')) a.world.members.set(room, new Set([alice]));
      wire.deliver(interieur, finances, { type: 'call', room, startedBy: bob, startedAtMs: 0, owner: finances, term: 0 });
    }
    await settled();
    assert.equal(wire.of('callRefused', interieur).length, 2);
    assert.equal(a.bridge.calls.open().length, 1);
  });

  it('join two calls that were started apart: the older one rules', async () => {
    wire.cut();
    await start(a, alice);
    await pass(3000);
    await start(b, bob);
    assert.equal(b.bridge.calls.inRoom(theRoom)?.call.owner, undefined);
    await join(a, alice);
    await join(b, bob);
    wire.mend();
    await settled();
    assert.equal(b.bridge.calls.inRoom(theRoom)?.call.owner, interieur);
    assert.equal(b.bridge.calls.inRoom(theRoom)?.call.startedBy, alice);
    assert.equal(a.bridge.calls.inRoom(theRoom)?.call.owner, undefined);
    assert.deepEqual([users(a), users(b)], [[alice, bob], [alice, bob]]);
  });

  it('keep a lost neighbour\'s people for a while, and have them back when it returns', async () => {
    await start();
    await join(a, alice);
    const his = await join(b, bob);
    wire.cut();
    await pass(10_000);
    assert.deepEqual(users(a), [alice, bob]);
    await his.control.updateSelf({ name: 'Bob while away' });
    wire.mend();
    await settled();
    assert.deepEqual(users(a), [alice, bob]);
    assert([...(a.bridge.calls.inRoom(theRoom)?.call.participants.values() ?? [])].some(({ name }) => name === 'Bob while away'), 'the full announcement replaces the old state');
    await pass(20_000);
    assert.deepEqual(users(a), [alice, bob]);
    wire.cut();
    await pass(16_000);
    assert.deepEqual([users(a), users(b)], [[alice], [bob]]);
    assert.equal(his.sink.closed.length, 0);
  });

  const restart = async (env: ControlEnv): Promise<void> => {
    wire.cut();
    env.bridge.stopWatching();
    await env.crash();
  };
  const mirrorsOf = (user: UserId) => [...(a.bridge.calls.inRoom(theRoom)?.call.participants.values() ?? [])].filter((each) => each.user === user);

  it('keep people in their places while their bridge restarts, and have them back as they come', async () => {
    await start();
    const hers = await join(a, alice);
    await join(b, bob, 'LAPTOP');
    await join(b, bob, 'TELEPHONE');
    const identities = mirrorsOf(bob).map(({ identity }) => identity);
    assert.equal(new Set(identities).size, 2);
    await restart(b);
    await pass(3000);
    wire.mend();
    await settled();
    assert.deepEqual(mirrorsOf(bob).map(({ identity, state, tracks }) => [identity, state, tracks.size]), identities.map((identity) => [identity, 'joining', 0]));
    assert.deepEqual(hers.sink.changes.flatMap(({ left }) => left), []);
    await pass(6000);
    assert.deepEqual(a.said.findLast(({ kind }) => kind === 'edit')?.notice?.people, [{ server: finances, count: 1 }, { server: interieur, count: 1 }]);
    await join(b, bob, 'TELEPHONE');
    assert.deepEqual(mirrorsOf(bob).map(({ identity }) => identity).sort(), identities.toSorted(), 'who is back is who was there');
    await pass(rules.lostGraceMs);
    assert.deepEqual(mirrorsOf(bob).map(({ identity }) => identity), identities.slice(1), 'the place of the other device was kept for a while');
    assert.deepEqual(hers.sink.lastChange()?.left.map(({ reason }) => reason), ['connectionLost']);
  });

  it('give no place to somebody who is awaited at a bridge that was away for long', async () => {
    await start();
    await join(a, alice);
    await join(b, bob);
    wire.cut();
    await pass(16_000);
    assert.deepEqual(users(a), [alice]);
    await restart(b);
    wire.mend();
    await settled();
    assert.equal(wire.of('people', finances).at(-1)?.type, 'people');
    assert.deepEqual(users(a), [alice]);
    await join(b, bob);
    assert.deepEqual(users(a), [alice, bob]);
  });

  it('announce nobody of the neighbour\'s after a restart of their own', async () => {
    await start();
    await join(a, alice);
    await join(b, bob);
    await restart(a);
    wire.mend();
    await settled();
    const [announced] = wire.of('people', interieur).slice(-1);
    assert.deepEqual(announced?.type === 'people' && announced.people.map(({ user, awaited, active }) => [user, awaited, active]), [[alice, true, false]]);
    assert.deepEqual([users(a), users(b)], [[alice, bob], [alice, bob]]);
  });

  it('share a running call with an organisation whose first member joins its room', async () => {
    for (const env of [a, b]) env.world.members.get(theRoom)?.delete(bob);
    await start();
    await join(a, alice);
    await pass(20_000);
    assert.equal(b.bridge.calls.inRoom(theRoom), undefined);
    // Bob's homeserver hears of it later than Alice's.
    a.world.members.get(theRoom)?.add(bob);
    await a.bridge.listener.memberCame(theRoom, bob);
    await pass(500);
    assert.equal(b.bridge.calls.inRoom(theRoom), undefined);
    b.world.members.get(theRoom)?.add(bob);
    await pass(2000);
    assert.deepEqual(users(b), [alice]);
    assert.equal(b.bridge.calls.inRoom(theRoom)?.call.owner, interieur);
  });

  it('end a call for good, whichever of them ends it first', async () => {
    await start();
    await join(a, alice);
    await join(b, bob);
    wire.deliver(finances, interieur, { type: 'end', room: theRoom, by: alice, atMs: a.clock.nowMs() });
    await settled();
    assert.equal(b.bridge.calls.inRoom(theRoom), undefined);
    assert.deepEqual(users(a), [alice]);
    await join(a, alice, 'OTHER');
    await pass(1000);
    assert.equal(b.bridge.calls.inRoom(theRoom), undefined);
  });

  it('keep nothing waiting for newcomers when they stop', async () => {
    await start();
    const before = a.clock.waiting();
    await a.bridge.listener.memberCame(theRoom, bob);
    assert(a.clock.waiting() > before);
    a.bridge.stopWatching();
    assert(a.clock.waiting() <= before);
    await a.bridge.listener.memberCame(theRoom, bob);
    assert(a.clock.waiting() <= before);
  });

  it('wait for people in a call of a neighbour that began long ago as long as in any other', async () => {
    const startedAtMs = b.clock.nowMs() - rules.neverJoinedTimeoutMs - 60_000;
    const joined = await b.bridge.calls.join({ room: theRoom, startedBy: alice, startedAtMs, owner: interieur, term: 0 });
    assert(joined.ok);
    await pass(rules.neverJoinedTimeoutMs - 1000);
    assert.equal(b.bridge.calls.inRoom(theRoom)?.call.startedAtMs, startedAtMs);
    await pass(2000);
    assert.equal(b.bridge.calls.inRoom(theRoom), undefined);
  });

  it('wait for nothing any more once they stop: neither for a neighbour that was lost nor for one that is lost then', async () => {
    await start();
    await join(a, alice);
    await join(b, bob);
    wire.cut();
    await pass(5000);
    a.bridge.stopWatching();
    b.bridge.stopWatching();
    wire.mend();
    wire.cut();
    await pass(20_000);
    assert.deepEqual([users(a), users(b)], [[alice, bob], [alice, bob]]);
  });

  it('tell both rooms\' people when media do not pass, and when they pass again', async () => {
    const { hers, camera, mirrored } = await cameraAcross();
    b.opened.media[0]?.demandChanged(mirrored, { layer: 2 });
    await settled();
    for (let second = 0; second < 5; second++) {
      pipeOf(b).bytesReceived += 1000;
      await pass(1000);
    }
    assert.deepEqual(wire.of('path'), []);
    await pass(4000);
    assert.deepEqual(wire.of('path', finances), [{ type: 'path', room: theRoom, passes: false }]);
    for (const env of [a, b]) assert.equal(env.bridge.calls.inRoom(theRoom)?.call.impaired.size, 1);
    await pass(6000);
    assert.deepEqual(a.said.findLast(({ kind }) => kind === 'edit')?.notice?.impaired, [finances]);
    assert.equal((await b.bridge.peers?.status())?.[0]?.stalledCalls ?? 1, 1);
    pipeOf(b).bytesReceived += 1000;
    await pass(2000);
    for (const env of [a, b]) assert.equal(env.bridge.calls.inRoom(theRoom)?.call.impaired.size, 0);
    await hers.control.setMuted(camera, true);
    await pass(6000);
    assert.equal(wire.of('path').length, 2, 'a camera that is off sends nothing');
  });

  it('say that media do not pass while no port is free for them, and catch up when one is', async () => {
    a.world.pipesFail = true;
    const { camera, mirrored } = await cameraAcross();
    const his = [...(b.bridge.calls.inRoom(theRoom)?.call.participants.values() ?? [])].find(({ user }) => user === bob) ?? assert.fail();
    await b.bridge.calls.inRoom(theRoom)?.apply({ type: 'announceTrack', participant: his.id, track: track({ published: true }) });
    await settled();
    const hisMirrored = [...(a.bridge.calls.inRoom(theRoom)?.call.participants.values() ?? [])].find(({ user }) => user === bob)?.tracks.keys().next().value ?? assert.fail();
    b.opened.media[0]?.demandChanged(mirrored, { layer: 2 });
    a.opened.media[0]?.demandChanged(hisMirrored, { layer: 0 });
    await pass(3000);
    assert.deepEqual([wire.of('media', interieur), wire.of('offer', interieur), wire.of('refused')], [[], [], []]);
    for (const [index, env] of [a, b].entries()) assert.deepEqual([...(env.bridge.calls.inRoom(theRoom)?.call.impaired ?? [])], [index === 0 ? finances : interieur]);
    await pass(6000);
    assert.deepEqual(a.said.findLast(({ kind }) => kind === 'edit')?.notice?.impaired, [finances]);
    const status = async () => (await a.bridge.peers?.status())?.[0];
    assert.deepEqual([(await status())?.callsWithoutPipe, (await status())?.pipeFault], [1, 'no UDP port is free']);
    a.world.pipesFail = false;
    await pass(2500);
    assert.deepEqual([...pipeOf(a).sending], [[camera, 2]]);
    assert.deepEqual([pipeOf(a).remotes, pipeOf(b).remotes], [[pipeOf(b).local], [pipeOf(a).local]]);
    assert.deepEqual([[...pipeOf(a).receiving], [...pipeOf(b).receiving]], [[hisMirrored], [mirrored]]);
    for (const env of [a, b]) assert.equal(env.bridge.calls.inRoom(theRoom)?.call.impaired.size, 0);
    assert.deepEqual([(await status())?.callsWithoutPipe, (await status())?.pipeFault], [0, undefined]);
    assert.equal(a.opened.pipes.length, 1);
  });

  it('do not say of an organisation that has gone that media do not pass', async () => {
    a.world.pipesFail = true;
    await start();
    await join(a, alice);
    await join(b, bob);
    assert.equal(a.bridge.calls.inRoom(theRoom)?.call.impaired.size, 1);
    wire.cut();
    await pass(16_000);
    assert.equal(a.bridge.calls.inRoom(theRoom)?.call.impaired.size, 0);
    assert.equal(b.bridge.calls.inRoom(theRoom)?.call.impaired.size, 0);
  });

  it('goes on when the bridge that spoke for it is lost: the other speaks, in a notice of its own', async () => {
    await start();
    await join(a, alice);
    const his = await join(b, bob);
    await pass(6000);
    wire.cut();
    await pass(22_000);
    assert.deepEqual(his.sink.closed, []);
    const notices = b.said.filter(({ kind }) => kind !== 'widget');
    assert.deepEqual(notices.map(({ kind, notice }) => [kind, notice?.state, notice?.continued]), [['notice', 'open', true]]);
    assert.equal(b.bridge.calls.inRoom(theRoom)?.call.owner, undefined);
    wire.mend();
    await settled();
    await pass(6000);
    assert.deepEqual([a.bridge.calls.inRoom(theRoom)?.call.owner, b.bridge.calls.inRoom(theRoom)?.call.owner], [finances, undefined]);
    const last = a.said.findLast(({ kind }) => kind === 'edit')?.notice;
    assert.deepEqual([last?.state, last?.movedTo], ['moved', finances]);
    assert.deepEqual([users(a), users(b)], [[alice, bob], [alice, bob]]);
  });

  it('part when the neighbour\'s last member leaves the room', async () => {
    await start();
    await join(a, alice);
    const his = await join(b, bob);
    for (const env of [a, b]) {
      env.world.members.get(theRoom)?.delete(bob);
      await env.bridge.listener.memberGone(theRoom, bob);
    }
    await settled();
    assert.deepEqual(his.sink.closed, ['membershipLost']);
    assert.deepEqual(users(a), [alice]);
    assert.equal(a.opened.pipes.every(({ closed }) => closed), true);
    const before = wire.sent.length;
    await join(a, alice, 'OTHER');
    assert.equal(wire.sent.slice(before).filter(({ message }) => message.type === 'person').length, 0, 'nothing is told any more');
  });

  it('end each its call when nobody is left anywhere', async () => {
    await start();
    const hers = await join(a, alice);
    const his = await join(b, bob);
    await hers.control.leave('clientLeft');
    await his.control.leave('clientLeft');
    await pass(rules.emptyTimeoutMs + 12_000);
    assert.deepEqual([a.bridge.calls.open().length, b.bridge.calls.open().length], [0, 0]);
    assert.deepEqual(b.said, []);
    const summary = a.said.findLast(({ kind }) => kind === 'edit')?.notice;
    assert.deepEqual([summary?.state, summary?.people.length], ['ended', 2]);
  });

  it('count the same people on both sides whoever comes and goes', async () => {
    for (const env of [a, b]) env.world.members.get(theRoom)?.add(carol);
    await start();
    await join(a, alice);
    await join(a, carol);
    await join(b, bob, 'LAPTOP');
    await join(b, bob, 'PHONE');
    const counts = [a, b].map((env) => peopleByOrganisation(env.bridge.calls.inRoom(theRoom)!.call));
    assert.deepEqual(counts[0], counts[1]);
    assert.equal(a.bridge.calls.inRoom(theRoom)?.call.participants.size, 4);
  });
});
