// Specifies the use cases: who gets in, what the room is told and when, what a crash, a kick and a slow homeserver do.
import assert from 'node:assert/strict';
import { isEventId, isSlug, parse, type UserId } from '../../src/call/ids.ts';
import type { JoinedSession } from '../../src/control/ports/session.ts';
import { alice, bob, carol, powerLevels, roomId, rules, slug, theRoom, track } from '../support/builders.ts';
import { controlEnv, deafEndpointListener, recordingSink, settled, type ControlEnv, type RecordedSession } from '../support/control-env.ts';

const event = (text: string) => parse(isEventId, text, 'event id');

describe('control', () => {
  let env: ControlEnv;
  beforeEach(() => {
    env = controlEnv([[theRoom, [alice, bob]]]);
  });
  afterEach(() => env.close());

  const ticketOf = async (user: UserId, device = 'DEV'): Promise<string> => {
    const admitted = await env.bridge.admission.admit({ proof: { kind: 'openId', token: { accessToken: user, matrixServerName: 'x' } }, at: { kind: 'room', room: theRoom }, device });
    assert(admitted.ok, admitted.ok ? '' : admitted.error.detail);
    return admitted.value.ticket;
  };
  const join = async (user: UserId, device = 'DEV'): Promise<JoinedSession & { sink: RecordedSession }> => {
    const sink = recordingSink();
    const joined = await env.bridge.door.join({ ticket: await ticketOf(user, device), profile: { clientProtocol: 1, capabilities: [] }, sink, endpointListener: deafEndpointListener });
    assert(joined.ok, joined.ok ? '' : joined.error.detail);
    return { ...joined.value, sink };
  };
  const codeOf = (result: { ok: boolean; error?: { code: string } }): string => (result.ok ? 'ok' : (result.error?.code ?? ''));
  const notices = () => env.said.filter(({ kind }) => kind === 'notice' || kind === 'edit');

  describe('start', () => {
    it('posts one notice and sets the widget, once per command however often it comes', async () => {
      for (let n = 0; n < 3; n++) assert.deepEqual(await env.bridge.commands.start(theRoom, alice, event('$cmd')), { ok: true, value: { started: true, slug: env.bridge.rooms.ensure(theRoom).slug } });
      await env.pass(20_000);
      assert.deepEqual(env.said.map(({ kind }) => kind).sort(), ['notice', 'widget']);
      assert.equal((await env.bridge.commands.start(theRoom, bob, event('$other'))).ok, true);
      assert.equal(env.bridge.calls.open().length, 1);
    });

    it('starts one call when two people ask at the same moment', async () => {
      const both = await Promise.all([env.bridge.commands.start(theRoom, alice, event('$1')), env.bridge.commands.start(theRoom, bob, event('$2'))]);
      assert.deepEqual(both.map((result) => result.ok && result.value.started), [true, false]);
      assert.equal(env.bridge.calls.open().length, 1);
    });

    it('is refused below the level, and while the homeserver is away', async () => {
      env.world.levels = powerLevels({ usersDefault: -1 });
      assert.equal(codeOf(await env.bridge.commands.start(theRoom, alice, event('$1'))), 'startForbidden');
      env.world.homeserverDown = true;
      assert.equal(codeOf(await env.bridge.commands.start(theRoom, alice, event('$2'))), 'homeserverUnavailable');
      assert.equal(env.bridge.calls.open().length, 0);
    });
  });

  describe('admission', () => {
    it('is the same refusal for a non-member, an unknown room and an unknown address', async () => {
      env.bridge.rooms.ensure(theRoom);
      const token = { kind: 'openId', token: { accessToken: carol, matrixServerName: 'x' } } as const;
      const results = await Promise.all([
        env.bridge.admission.admit({ proof: token, at: { kind: 'room', room: theRoom }, device: 'D' }),
        env.bridge.admission.admit({ proof: token, at: { kind: 'room', room: roomId('!none:x') }, device: 'D' }),
        env.bridge.admission.admit({ proof: token, at: { kind: 'page', slug: env.bridge.rooms.ensure(theRoom).slug }, device: 'D' }),
        env.bridge.admission.admit({ proof: token, at: { kind: 'page', slug: slug('zzzzzzzzzzzzzzzzzzzz') }, device: 'D' }),
      ]);
      assert.deepEqual(results.map(codeOf), ['forbidden', 'forbidden', 'forbidden', 'forbidden']);
      assert.equal(env.bridge.calls.open().length, 0);
    });

    it('refuses a token that the homeserver does not confirm', async () => {
      assert.equal(codeOf(await env.bridge.admission.admit({ proof: { kind: 'openId', token: { accessToken: 'forged', matrixServerName: 'x' } }, at: { kind: 'room', room: theRoom }, device: 'D' })), 'identityRejected');
    });

    it('lets nobody in under another\'s claim, and names a session as its client does', async () => {
      const ask = (by: UserId) => env.bridge.admission.admit({ proof: { kind: 'openId', token: { accessToken: by, matrixServerName: 'x' } }, at: { kind: 'room', room: theRoom }, device: 'D', claimed: { user: alice, identity: 'hash' } });
      assert.equal(codeOf(await ask(bob)), 'identityRejected');
      const admitted = await ask(alice);
      assert(admitted.ok);
      assert.equal(admitted.value.identity.identity, 'hash');
      const ticket = await env.bridge.tickets.verify(admitted.value.ticket);
      assert.equal(ticket.ok && ticket.value.identity.identity, 'hash');
    });

    it('takes the name and role from the room as they are now', async () => {
      env.world.levels = powerLevels({ users: [[alice, 100]] });
      const { self } = await join(alice);
      assert.deepEqual({ name: self.name, role: self.role, identity: self.identity }, { name: `Name of ${alice}`, role: 'owner', identity: `${alice}:DEV` });
      env.world.levels = powerLevels();
      await env.bridge.listener.powerLevelsChanged(theRoom);
      assert.equal(env.bridge.calls.inRoom(theRoom)?.call.participants.get(self.id)?.role, 'participant');
    });
  });

  describe('door', () => {
    it('tells the others of a newcomer and of each change, the newcomer of everything after its snapshot', async () => {
      const first = await join(alice);
      const second = await join(bob);
      assert.deepEqual(second.others.map(({ id }) => id), [first.self.id]);
      assert.deepEqual(second.sink.changes, []);
      assert.deepEqual(first.sink.changes.map(({ changed, count }) => [changed.map(({ id }) => id), count]), [[[second.self.id], 2]]);
      const camera = await first.control.announceTrack(track());
      assert(camera.ok);
      await first.control.trackPublished(camera.value.id);
      assert.equal(second.sink.lastChange()?.changed[0]?.tracks.get(camera.value.id)?.published, true);
      await first.control.leave('clientLeft');
      assert.deepEqual(second.sink.lastChange()?.left.map(({ participant, reason }) => [participant.id, reason]), [[first.self.id, 'clientLeft']]);
      assert.deepEqual(first.sink.closed, []);
      assert.equal(env.opened.closedEndpoints, 1);
    });

    it('closes the older session of the same device before the newer is told of', async () => {
      const older = await join(alice);
      const newer = await join(alice);
      assert.deepEqual(older.sink.closed, ['duplicateIdentity']);
      assert.deepEqual(newer.others, []);
      assert.deepEqual(newer.sink.changes, []);
      assert.equal(codeOf(await older.control.announceTrack(track())), 'callEnded');
    });

    it('kicked means cut at once, and the ticket is dead', async () => {
      const ticket = await ticketOf(bob);
      const kicked = await join(bob);
      const stays = await join(alice);
      env.world.members.get(theRoom)?.delete(bob);
      await env.bridge.listener.memberGone(theRoom, bob);
      assert.deepEqual(kicked.sink.closed, ['membershipLost']);
      assert.deepEqual(stays.sink.closed, []);
      assert.equal(codeOf(await env.bridge.door.join({ ticket, profile: { clientProtocol: 1, capabilities: [] }, sink: recordingSink(), endpointListener: deafEndpointListener })), 'forbidden');
      assert.equal(codeOf(await env.bridge.door.validate(ticket)), 'forbidden');
      assert.equal(env.opened.endpoints, 2);
    });

    it('lets nobody in while media are away, and everybody once they are back', async () => {
      env.world.mediaFails = true;
      const ticket = await ticketOf(alice);
      const attempt = () => env.bridge.door.join({ ticket, profile: { clientProtocol: 1, capabilities: [] }, sink: recordingSink(), endpointListener: deafEndpointListener });
      assert.equal(codeOf(await attempt()), 'mediaUnavailable');
      env.world.mediaFails = false;
      assert.equal(codeOf(await attempt()), 'ok');
    });

    it('asks everybody to come back when the media worker dies, and keeps their place', async () => {
      const person = await join(alice);
      env.opened.media[0]?.mediaLost();
      await settled();
      assert.deepEqual(person.sink.closed, ['mediaLost']);
      assert.equal(env.bridge.calls.inRoom(theRoom)?.call.participants.size, 1);
      await join(alice);
      assert.equal(env.opened.media.length, 2);
      await env.pass(60_000);
      assert.equal(env.bridge.calls.inRoom(theRoom)?.call.participants.size, 1);
    });

    it('admits nobody while draining', async () => {
      const ticket = await ticketOf(alice);
      env.bridge.calls.drain();
      assert.equal(codeOf(await env.bridge.door.validate(ticket)), 'draining');
    });
  });

  describe('notice', () => {
    it('is edited at most once in its interval and shows the last state', async () => {
      await join(alice);
      await env.pass(0);
      for (let n = 0; n < 5; n++) await (await join(bob, `D${n}`)).control.leave('clientLeft');
      await join(bob);
      await env.pass(30_000);
      const times = notices().map(({ atMs }) => atMs);
      for (const [index, atMs] of times.entries()) assert(index === 0 || atMs - (times[index - 1] ?? 0) >= 5000, `edits at ${times.join(' ')}`);
      assert.deepEqual(notices().at(-1)?.notice?.people, [{ server: 'finances.example.org', count: 1 }, { server: 'interieur.example.org', count: 1 }]);
      assert(times.length <= 4, `${times.length} messages`);
    });

    it('becomes the summary at the end', async () => {
      const person = await join(alice);
      await env.pass(10_000);
      await person.control.leave('clientLeft');
      await env.pass(rules.emptyTimeoutMs + 6000);
      const summary = notices().at(-1)?.notice;
      assert(summary !== undefined);
      const { state, people, startedAtMs, endedAtMs } = summary;
      assert.deepEqual({ state, people, lastedMs: (endedAtMs ?? 0) - startedAtMs }, { state: 'ended', people: [{ server: 'interieur.example.org', count: 1 }], lastedMs: 10_000 });
      assert.deepEqual(env.said.filter(({ kind }) => kind === 'widget').map(({ txnId }) => txnId.endsWith('.widget.')), [false, true]);
      assert.equal(env.bridge.outbox.depth(), 0);
      assert.equal(env.opened.closedMedia, 1);
    });

    it('waits as long as the homeserver asks, and keeps its order', async () => {
      env.world.deliveries.push({ kind: 'later', retryAfterMs: 7000, detail: '429' });
      const startMs = env.clock.nowMs();
      env.bridge.commands.say(theRoom, 'first', {});
      env.bridge.commands.say(theRoom, 'second', {});
      await env.pass(6500);
      assert.equal(env.said.length, 0);
      await env.pass(2000);
      assert.deepEqual(env.said.map(({ txnId }) => txnId), ['first', 'second']);
      assert((env.said[0]?.atMs ?? 0) - startMs >= 7000);
    });

    it('arrives after a homeserver that was away for a minute, once', async () => {
      await join(alice);
      await env.pass(6000);
      env.world.homeserverDown = true;
      const open = env.bridge.calls.inRoom(theRoom);
      env.bridge.calls.announceAgain(theRoom);
      await env.pass(60_000);
      assert.equal(open?.sessionCount, 1);
      const before = notices().length;
      env.world.homeserverDown = false;
      await env.pass(70_000);
      assert.equal(notices().length, before + 1);
    });

    it('says that the widget could not be set, until the bot is given power', async () => {
      env.world.deliveries.push({ kind: 'sent', eventId: event('$first') }, { kind: 'refused', forbidden: true, detail: 'M_FORBIDDEN' });
      await join(alice);
      await env.pass(12_000);
      assert.equal(notices().at(-1)?.notice?.widgetSet, false);
      await env.bridge.listener.powerLevelsChanged(theRoom);
      await env.pass(12_000);
      assert.equal(notices().at(-1)?.notice?.widgetSet, true);
    });
  });

  describe('crash', () => {
    it('keeps the call, its notice and the places of its people', async () => {
      await join(alice);
      await join(bob);
      await env.pass(12_000);
      const before = env.bridge.calls.inRoom(theRoom)?.call;
      const posts = notices().filter(({ kind }) => kind === 'notice').length;
      await env.crash();
      const after = env.bridge.calls.inRoom(theRoom)?.call;
      assert.equal(after?.id, before?.id);
      assert.equal(after?.noticeId, before?.noticeId);
      assert.equal(after?.participants.size, 2);
      const back = await join(alice);
      assert.deepEqual(back.others, []);
      await env.pass(rules.lostGraceMs + 6000);
      assert.deepEqual(notices().at(-1)?.notice?.people, [{ server: 'interieur.example.org', count: 1 }]);
      assert.equal(notices().filter(({ kind }) => kind === 'notice').length, posts);
    });

    it('between posting and remembering does not post twice', async () => {
      await env.bridge.commands.start(theRoom, alice, event('$cmd'));
      await settled();
      const id = env.bridge.calls.inRoom(theRoom)?.call.id;
      assert(id !== undefined);
      env.bridge.database.prepare('UPDATE calls SET notice_id = NULL').run();
      env.bridge.outbox.mark({ kind: 'notice', key: `${id}.notice`, room: theRoom, callId: id }, 0);
      await env.crash();
      await env.pass(12_000);
      assert.equal(notices().filter(({ kind }) => kind === 'notice').length, 1);
      assert.notEqual(env.bridge.calls.find(id)?.noticeId, undefined);
    });

    it('at the end of a call still brings the summary', async () => {
      await join(alice);
      await env.pass(12_000);
      env.world.homeserverDown = true;
      assert.equal((await env.bridge.calls.endNow(env.bridge.calls.open()[0]!, 'spec')).ok, true);
      await env.crash();
      env.world.homeserverDown = false;
      await env.pass(70_000);
      assert.equal(notices().at(-1)?.notice?.state, 'ended');
      assert.equal(env.bridge.outbox.depth(), 0);
    });
  });

  describe('end', () => {
    it('is for who started the call and for moderators', async () => {
      await env.bridge.commands.start(theRoom, bob, event('$cmd'));
      env.world.members.get(theRoom)?.add(carol);
      assert.equal(codeOf(await env.bridge.commands.end(theRoom, carol)), 'forbidden');
      const person = await join(alice);
      assert.equal(codeOf(await env.bridge.commands.end(theRoom, bob)), 'ok');
      assert.deepEqual(person.sink.closed, ['callEnded']);
      assert.equal(codeOf(await env.bridge.commands.end(theRoom, bob)), 'callEnded');
    });
  });

  describe('pairing', () => {
    const begin = (address = env.bridge.rooms.ensure(theRoom).slug) => {
      const pairing = env.bridge.signIns.begin(address);
      assert(pairing.ok);
      return pairing.value;
    };

    it('signs the browser in once the code is said in the room', async () => {
      const pairing = begin();
      const waiting = env.bridge.signIns.state(pairing.secret, 25_000);
      assert.equal(codeOf(await env.bridge.commands.claimCode(theRoom, bob, pairing.code)), 'ok');
      const state = await waiting;
      assert(state.status === 'paired');
      assert.equal(state.user, bob);
      const admitted = await env.bridge.admission.admit({ proof: { kind: 'signIn', text: state.signIn }, at: { kind: 'room', room: theRoom }, device: 'D' });
      assert(admitted.ok);
      assert.equal(admitted.value.identity.user, bob);
      assert.equal(codeOf(await env.bridge.commands.claimCode(theRoom, alice, pairing.code)), 'badRequest');
      assert.equal(codeOf(await env.bridge.signIns.revoke(state.signIn)), 'ok');
      assert.equal(codeOf(await env.bridge.admission.admit({ proof: { kind: 'signIn', text: state.signIn }, at: { kind: 'room', room: theRoom }, device: 'D' })), 'signInInvalid');
    });

    it('looks the same for an address that stands for no room, and never comes true', async () => {
      const real = begin();
      const fake = begin(parse(isSlug, 'b'.repeat(20), 'slug'));
      assert.deepEqual(Object.keys(fake).sort(), Object.keys(real).sort());
      assert.equal(codeOf(await env.bridge.commands.claimCode(theRoom, bob, fake.code === real.code ? '' : fake.code)), 'badRequest');
    });

    it('is worth nothing in another room, and expires', async () => {
      const pairing = begin();
      assert.equal(codeOf(await env.bridge.commands.claimCode(roomId('!other:x'), bob, pairing.code)), 'badRequest');
      const waiting = env.bridge.signIns.state(pairing.secret, 25_000);
      await env.pass(25_000);
      assert.equal((await waiting).status, 'waiting');
      await env.pass(300_000);
      assert.equal(codeOf(await env.bridge.commands.claimCode(theRoom, alice, pairing.code)), 'badRequest');
      assert.equal((await env.bridge.signIns.state(pairing.secret, 0)).status, 'expired');
    });

    it('lets nobody try codes one after another', async () => {
      for (let n = 0; n < 5; n++) assert.equal(codeOf(await env.bridge.commands.claimCode(theRoom, bob, 'wrong')), 'badRequest');
      const pairing = begin();
      assert.equal(codeOf(await env.bridge.commands.claimCode(theRoom, bob, pairing.code)), 'tooManyRequests');
      assert.equal(codeOf(await env.bridge.commands.claimCode(theRoom, alice, pairing.code)), 'ok');
    });

    it('does not pile up', () => {
      const results = Array.from({ length: 60 }, () => env.bridge.signIns.begin(env.bridge.rooms.ensure(theRoom).slug));
      assert.equal(results.filter(({ ok }) => ok).length, 50);
    });
  });

  describe('room', () => {
    it('that is lost ends its call', async () => {
      const person = await join(alice);
      await env.bridge.listener.roomLost(theRoom);
      assert.deepEqual(person.sink.closed, ['callEnded']);
    });

    it('that is upgraded keeps its address and language', async () => {
      const address = env.bridge.rooms.ensure(theRoom).slug;
      env.world.levels = powerLevels({ users: [[alice, 100]] });
      assert.equal(codeOf(await env.bridge.commands.setLanguage(theRoom, alice, 'en')), 'ok');
      assert.equal(codeOf(await env.bridge.commands.setLanguage(theRoom, bob, 'fr')), 'forbidden');
      const next = roomId('!next:interieur.example.org');
      await env.bridge.listener.roomUpgraded(theRoom, next);
      assert.equal(env.bridge.rooms.bySlug(address)?.room, next);
      assert.equal(env.bridge.commands.language(next), 'en');
    });
  });
});
