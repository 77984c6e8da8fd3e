// Specifies what people do and what is refused to them: from the command in the room to the summary.
import assert from 'node:assert/strict';
import { noticesIn, noticeOf } from '../../support/bridge-env.ts';
import { eventually } from '../../support/eventually.ts';
import { peopleShown, tilesShown, widgetType, type Scenario } from './scenario.ts';

export const calls: readonly Scenario[] = [
  {
    name: 'carries a call from the command to the summary, between people of two homeservers, each at their own bridge',
    play: async ({ env, alice, bob, join }) => {
      const room = await env.room(alice, bob);
      const notice = await env.startCall(alice, room);
      await eventually(async () => ((await bob.state(room, widgetType, 'viaduc'))?.['url'] === undefined ? 'no widget in the room' : undefined));
      const pages = [await join(alice, room, notice.slug), await join(bob, room, notice.slug)];
      await Promise.all(pages.map((page) => page.seesAndHears()));
      for (const [index, page] of pages.entries()) assert.deepEqual((await page.media()).sockets, [env.homeOf(index).files.publicUrl.replace('http', 'ws')]);
      await eventually(peopleShown(bob, room, 2), 15_000);
      const summary = alice.next('the summary', (event) => event.roomId === room && noticeOf(event)?.state === 'ended');
      await alice.say(room, '!visio end');
      const ended = noticeOf(await summary);
      assert.equal(ended?.eventId, notice.eventId);
      assert.equal(ended.people.length, 2);
      await Promise.all(pages.map((page) => page.shows('call-ended')));
      await eventually(async () => ((await alice.state(room, widgetType, 'viaduc'))?.['url'] === undefined ? undefined : 'the widget is still there'));
      assert.equal(new Set(noticesIn(bob, room).map(({ eventId }) => eventId)).size, 1, 'one notice, edited');
    },
  },
  {
    name: 'lets a widget in by an OpenID token of another homeserver',
    play: async ({ env, alice, bob }) => {
      const room = await env.room(alice, bob);
      const { slug } = await env.startCall(alice, room);
      const { status, body } = await env.post(`/api/calls/${slug}/join`, { openid_token: await bob.openIdToken(), device_id: 'BOBSDEVICE' });
      assert.equal(status, 200, JSON.stringify(body));
      assert.equal(body['identity'], `${bob.userId}:BOBSDEVICE`);
      assert.equal(body['role'], 'participant');
      const home = env.homeOf(1).files.publicUrl;
      assert.equal(body['url'], home.replace('http', 'ws'));
      const validation = await fetch(`${home}/rtc/validate?access_token=${String(body['jwt'])}`);
      assert.equal(validation.status, 200);
      const sfu = await env.post('/sfu/get', { room, openid_token: await alice.openIdToken(), device_id: 'ALICESDEVICE' });
      assert.deepEqual(Object.keys(sfu.body).sort(), ['jwt', 'url']);
    },
  },
  {
    name: 'refuses somebody who is not a member exactly as if there were no room',
    play: async ({ env, alice, bob, carol }) => {
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
    },
  },
  {
    name: 'cuts somebody who is kicked, at once and for good',
    play: async ({ env, alice, bob, join }) => {
      const room = await env.room(alice, bob);
      const { slug } = await env.startCall(alice, room);
      const { body } = await env.post(`/api/calls/${slug}/join`, { openid_token: await bob.openIdToken(), device_id: 'D' });
      const alicesPage = await join(alice, room, slug);
      const bobsPage = await join(bob, room, slug);
      await alicesPage.seesAndHears();
      await alice.kick(room, bob.userId);
      await bobsPage.shows('call-ended');
      assert.equal(await bobsPage.page.getByTestId('call-ended').getAttribute('data-reason'), 'removed');
      await eventually(tilesShown(alicesPage, 1));
      await eventually(peopleShown(alice, room, 1), 15_000);
      const dead = await fetch(`${env.homeOf(1).files.publicUrl}/rtc/validate?access_token=${String(body['jwt'])}`);
      assert.equal(dead.status, 403);
    },
  },
  {
    name: 'lets people of either organisation end what the room lets them end, and nothing else',
    play: async ({ env, alice, bob, join }) => {
      const room = await env.room(alice, bob);
      const { slug } = await env.startCall(alice, room);
      const page = await join(alice, room, slug);
      const refusal = await bob.say(room, '!visio end');
      await bob.find('the refusal', (event) => JSON.stringify(event.content['m.relates_to'] ?? '').includes(refusal), 15_000);
      assert.equal(await page.page.getByTestId('call').count(), 1, 'an ordinary member ends nobody else\'s call');
      await alice.setPowerLevel(room, bob.userId, 50);
      await bob.find('the new power', (event) => event.roomId === room && event.type === 'm.room.power_levels' && JSON.stringify(event.content).includes(bob.userId));
      await bob.say(room, '!visio end');
      await page.shows('call-ended');
    },
  },
  {
    name: 'runs a command once, however often the homeserver sends it',
    play: async ({ env, alice, bob }) => {
      const room = await env.room(alice, bob);
      const { files } = env.first;
      const bots = env.bridges.map(({ bot }) => bot);
      const said = await alice.say(room, '!visio frobnicate');
      const answersTo = (eventId: string): number => alice.seen(({ roomId, sender, content }) => roomId === room && bots.includes(sender) && JSON.stringify(content['m.relates_to'] ?? '').includes(eventId)).length;
      await eventually(() => (answersTo(said) > 0 ? undefined : 'no line of help'));
      const event = { type: 'm.room.message', event_id: said, room_id: room, sender: alice.userId, origin_server_ts: Date.now(), content: { msgtype: 'm.text', body: '!visio frobnicate' } };
      const hsToken = String(files.registration['hs_token']);
      for (const txn of ['spec-1', 'spec-1', 'spec-2']) {
        const response = await fetch(`${files.appserviceUrl}/_matrix/app/v1/transactions/${txn}`, { method: 'PUT', headers: { authorization: `Bearer ${hsToken}`, 'content-type': 'application/json' }, body: JSON.stringify({ events: [event, event] }) });
        assert.equal(response.status, 200);
      }
      const fence = await alice.say(room, '!visio help');
      await eventually(() => (answersTo(fence) > 0 ? undefined : 'no answer to what came after'));
      assert.equal(answersTo(said), 1);
    },
  },
];
