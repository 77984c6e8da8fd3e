// Specifies the whole bridge with real parts: from the command in the room to the summary, through faults and refusals.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { BridgeEnv, noticesIn, noticeOf, type CallPage } from '../support/bridge-env.ts';
import { eventually } from '../support/eventually.ts';
import type { MatrixUser } from '../support/matrix-user.ts';

const widgetType = 'im.vector.modular.widgets';

describe('bridge', function () {
  this.timeout(180_000);
  let env: BridgeEnv;
  let alice: MatrixUser;
  let bob: MatrixUser;
  let carol: MatrixUser;
  let pages: CallPage[];

  before(async () => {
    env = await BridgeEnv.start();
    [alice, bob, carol] = await Promise.all([env.federation.user(0, 'alice'), env.federation.user(1, 'bob'), env.federation.user(1, 'carol')]);
  });
  after(() => env[Symbol.asyncDispose]());
  beforeEach(() => {
    pages = [];
  });
  afterEach(() => Promise.all(pages.map((page) => page.close())));

  const joinByCode = async (user: MatrixUser, room: string, slug: string): Promise<CallPage> => {
    const page = await env.joinByCode(user, room, slug);
    pages.push(page);
    return page;
  };
  const peopleShown = (user: MatrixUser, room: string, count: number) => (): string | undefined => {
    const last = noticesIn(user, room).at(-1);
    const shown = (last?.people ?? []).reduce((sum, each) => sum + each.count, 0);
    return shown === count ? undefined : `the notice shows ${shown} people instead of ${count}: ${last?.body ?? 'none'}`;
  };

  it('carries a call from the command to the summary, between people of two homeservers', async () => {
    const room = await env.room(alice, bob);
    const notice = await env.startCall(alice, room);
    await eventually(async () => ((await bob.state(room, widgetType, 'viaduc'))?.['url'] === undefined ? 'no widget in the room' : undefined));
    const alicesPage = await joinByCode(alice, room, notice.slug);
    const bobsPage = await joinByCode(bob, room, notice.slug);
    await Promise.all([alicesPage.seesAndHears(), bobsPage.seesAndHears()]);
    await eventually(peopleShown(bob, room, 2), 15_000);
    const summary = alice.next('the summary', (event) => event.roomId === room && noticeOf(event)?.state === 'ended');
    await alice.say(room, '!visio end');
    const ended = noticeOf(await summary);
    assert.equal(ended?.eventId, notice.eventId);
    assert.equal(ended.people.length, 2);
    await Promise.all([alicesPage.shows('call-ended'), bobsPage.shows('call-ended')]);
    await eventually(async () => ((await alice.state(room, widgetType, 'viaduc'))?.['url'] === undefined ? undefined : 'the widget is still there'));
    assert.equal(new Set(noticesIn(bob, room).map(({ eventId }) => eventId)).size, 1, 'one notice, edited');
  });

  it('lets a widget in by an OpenID token of another homeserver', async () => {
    const room = await env.room(alice, bob);
    const { slug } = await env.startCall(alice, room);
    const { status, body } = await env.post(`/api/calls/${slug}/join`, { openid_token: await bob.openIdToken(), device_id: 'BOBSDEVICE' });
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body['identity'], `${bob.userId}:BOBSDEVICE`);
    assert.equal(body['role'], 'participant');
    const validation = await fetch(`${env.files.publicUrl}/rtc/validate?access_token=${String(body['jwt'])}`);
    assert.equal(validation.status, 200);
    const sfu = await env.post('/sfu/get', { room, openid_token: await alice.openIdToken(), device_id: 'ALICESDEVICE' });
    assert.deepEqual(Object.keys(sfu.body).sort(), ['jwt', 'url']);
  });

  it('refuses somebody who is not a member exactly as if there were no room', async () => {
    const room = await env.room(alice, bob);
    const { slug } = await env.startCall(alice, room);
    const openid_token = await carol.openIdToken();
    const answers = await Promise.all([
      env.post(`/api/calls/${slug}/join`, { openid_token, device_id: 'D' }),
      env.post(`/api/calls/${'z'.repeat(slug.length)}/join`, { openid_token, device_id: 'D' }),
      env.post('/sfu/get', { room, openid_token, device_id: 'D' }),
      env.post('/sfu/get', { room: '!nothing:interieur.localhost', openid_token, device_id: 'D' }),
    ]);
    const [first, ...others] = answers.map(({ status, body: { ref: _, ...body } }) => ({ status, body }));
    assert.equal(first?.status, 403);
    for (const other of others) assert.deepEqual(other, first);
    const forged = await env.post(`/api/calls/${slug}/join`, { openid_token: { ...openid_token, access_token: 'forged' }, device_id: 'D' });
    assert.equal(forged.status, 401);
    const stranger = await env.post(`/api/calls/${slug}/join`, { openid_token: { ...openid_token, matrix_server_name: 'evil.localhost:19999' }, device_id: 'D' });
    assert.deepEqual([stranger.status, stranger.body['errcode']], [401, 'M_UNAUTHORIZED']);
  });

  it('cuts somebody who is kicked, at once and for good', async () => {
    const room = await env.room(alice, bob);
    const { slug } = await env.startCall(alice, room);
    const { body } = await env.post(`/api/calls/${slug}/join`, { openid_token: await bob.openIdToken(), device_id: 'D' });
    const alicesPage = await joinByCode(alice, room, slug);
    const bobsPage = await joinByCode(bob, room, slug);
    await alicesPage.seesAndHears();
    await alice.kick(room, bob.userId);
    await bobsPage.shows('call-ended');
    assert.equal(await bobsPage.page.getByTestId('call-ended').getAttribute('data-reason'), 'removed');
    await eventually(peopleShown(alice, room, 1), 15_000);
    assert.equal(await alicesPage.page.getByTestId('tile').count(), 1);
    const dead = await fetch(`${env.files.publicUrl}/rtc/validate?access_token=${String(body['jwt'])}`);
    assert.equal(dead.status, 403);
  });

  it('runs a command once, however often the homeserver sends it', async () => {
    const room = await env.room(alice, bob);
    const said = await alice.say(room, '!visio frobnicate');
    await alice.find('the line of help', (event) => event.roomId === room && event.sender === env.bot && JSON.stringify(event.content['m.relates_to'] ?? '').includes(said));
    const event = { type: 'm.room.message', event_id: said, room_id: room, sender: alice.userId, origin_server_ts: Date.now(), content: { msgtype: 'm.text', body: '!visio frobnicate' } };
    const hsToken = String(env.files.registration['hs_token']);
    for (const txn of ['spec-1', 'spec-1', 'spec-2']) {
      const response = await fetch(`${env.files.appserviceUrl}/_matrix/app/v1/transactions/${txn}`, { method: 'PUT', headers: { authorization: `Bearer ${hsToken}`, 'content-type': 'application/json' }, body: JSON.stringify({ events: [event, event] }) });
      assert.equal(response.status, 200);
    }
    const fence = await alice.say(room, '!visio help');
    await alice.find('the answer to what came after', (answer) => answer.sender === env.bot && JSON.stringify(answer.content['m.relates_to'] ?? '').includes(fence));
    assert.equal(alice.seen((answer) => answer.roomId === room && answer.sender === env.bot && JSON.stringify(answer.content['m.relates_to'] ?? '').includes(said)).length, 1);
  });

  it('survives kill -9 in the middle of a call: people come back by themselves, the same notice goes on', async () => {
    const room = await env.room(alice, bob);
    const notice = await env.startCall(alice, room);
    const alicesPage = await joinByCode(alice, room, notice.slug);
    const bobsPage = await joinByCode(bob, room, notice.slug);
    await Promise.all([alicesPage.seesAndHears(), bobsPage.seesAndHears()]);
    await eventually(peopleShown(alice, room, 2), 15_000);
    await env.killBridge();
    await env.startBridge();
    await Promise.all([alicesPage.seesAndHears(), bobsPage.seesAndHears()]);
    await bobsPage.page.getByTestId('leave-button').click();
    await eventually(peopleShown(alice, room, 1), 20_000);
    assert.deepEqual([...new Set(noticesIn(alice, room).map(({ eventId }) => eventId))], [notice.eventId]);
  });

  it('goes on while the homeserver is away, and says afterwards what happened', async () => {
    const room = await env.room(alice, bob);
    const notice = await env.startCall(alice, room);
    const alicesPage = await joinByCode(alice, room, notice.slug);
    const bobsPage = await joinByCode(bob, room, notice.slug);
    await Promise.all([alicesPage.seesAndHears(), bobsPage.seesAndHears()]);
    await eventually(peopleShown(alice, room, 2), 15_000);
    await env.federation.server(0).kill();
    try {
      await bobsPage.page.getByTestId('leave-button').click();
      await alicesPage.page.waitForTimeout(5000);
      assert.equal(await alicesPage.page.getByTestId('call').count(), 1);
      assert.equal(await alicesPage.page.getByTestId('reconnecting').count(), 0);
    } finally {
      await env.federation.server(0).start();
    }
    await eventually(peopleShown(alice, room, 1), 90_000);
    assert.deepEqual([...new Set(noticesIn(alice, room).map(({ eventId }) => eventId))], [notice.eventId]);
  });

  it('ends in order at SIGTERM: clients are told, no worker is left, and the next process has the call', async () => {
    const room = await env.room(alice, bob);
    const notice = await env.startCall(alice, room);
    const page = await joinByCode(alice, room, notice.slug);
    const workers = workersOf(env.process.pid);
    assert(workers.length > 0, 'the bridge has no media workers');
    assert.equal(await env.stopBridge(), 'exit status 0');
    for (const pid of workers) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
    await page.shows('reconnecting');
    await env.startBridge();
    await eventually(async () => ((await page.page.getByTestId('reconnecting').count()) === 0 && (await page.page.getByTestId('call').count()) === 1 ? undefined : 'the page is not back in the call'), 40_000);
    await eventually(peopleShown(alice, room, 1), 15_000);
  });

  it('has its figures on the listener of the operator', async () => {
    const metrics = await (await fetch(`${env.files.metricsUrl}/metrics`)).text();
    for (const name of ['viaduc_calls', 'viaduc_participants', 'viaduc_tracks', 'viaduc_joins_total', 'viaduc_join_seconds_bucket', 'viaduc_media_workers', 'viaduc_outbox_depth', 'viaduc_media_sent_bits_per_second', 'nodejs_eventloop_lag_seconds']) assert.match(metrics, new RegExp(`^${name}[ {]`, 'm'));
    const ready = await fetch(`${env.files.metricsUrl}/readyz`);
    assert.deepEqual(await ready.json(), { ready: true, reasons: [] });
    assert.equal((await fetch(`${env.files.publicUrl}/metrics`)).status, 404);
  });

  it('has written no secret into its log, whole joins at level debug included', async () => {
    const room = await env.room(alice, bob);
    const { slug } = await env.startCall(alice, room);
    const openIdToken = await bob.openIdToken();
    const joined = await env.post(`/api/calls/${slug}/join`, { openid_token: openIdToken, device_id: 'D' });
    const page = await joinByCode(alice, room, slug);
    const signIn = await page.page.evaluate(() => JSON.stringify(Object.entries(localStorage)));
    const { body: pairing } = await env.post(`/api/calls/${slug}/pairing`, {});
    await bob.say(room, String(pairing['say']));
    const paired = z.object({ status: z.literal('paired'), sign_in: z.string() }).parse(await (await fetch(`${env.files.publicUrl}/api/pairings/${String(pairing['pairing'])}`)).json());
    const log = readFileSync(env.files.logFile, 'utf8');
    assert(log.includes('participant joined') && log.includes(' debug '), 'the log is that of a whole join at debug level');
    const secrets = {
      as_token: env.files.registration['as_token'],
      hs_token: env.files.registration['hs_token'],
      openid: openIdToken.access_token,
      ticket: joined.body['jwt'],
      signIn: /eyJ[\w-]+\.[\w-]+\.[\w-]+/.exec(signIn)?.[0],
      pairing: pairing['pairing'],
      otherSignIn: paired.sign_in,
      signingKey: readFileSync(join(env.files.configFile, '../data/signing.key'), 'utf8').trim(),
    };
    for (const [name, secret] of Object.entries(secrets)) {
      assert(typeof secret === 'string' && secret.length > 10, `${name} was not found`);
      assert(!log.includes(secret), `${name} is in the log`);
    }
    assert(!/eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}/.test(log), 'some signed token is in the log');
  });
});

/** Processes whose parent is this one, by /proc. */
function workersOf(pid: number | undefined): number[] {
  if (pid === undefined) return [];
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter((text) => text !== '').map(Number);
}
