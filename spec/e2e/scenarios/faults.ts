// Specifies what becomes of a call when a bridge or a homeserver goes away, and when it comes back.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { noticesIn, type CallPage } from '../../support/bridge-env.ts';
import { eventually } from '../../support/eventually.ts';
import { peopleShown, tilesShown, type Scenario } from './scenario.ts';

/** People of a lost bridge stay for 15 s (docs/protocol/cascade.md §3); the rest is for a busy machine. */
const departedMs = 20_000;
/** Nothing of what a running bridge waits for holds up its end. */
const stoppedMs = 8000;

export const faults: readonly Scenario[] = [
  {
    name: 'survives kill -9 in the middle of a call: people come back by themselves, the same notice goes on',
    play: async ({ env, alice, bob, join }) => {
      const room = await env.room(alice, bob);
      const notice = await env.startCall(alice, room);
      const alicesPage = await join(alice, room, notice.slug);
      const bobsPage = await join(bob, room, notice.slug);
      await Promise.all([alicesPage.seesAndHears(), bobsPage.seesAndHears()]);
      await eventually(peopleShown(alice, room, 2), 15_000);
      const interrupted = await bobsPage.watchInterruptions();
      await env.first.kill();
      await env.first.start();
      await Promise.all([backInCall(alicesPage), backInCall(bobsPage)]);
      await Promise.all([alicesPage.seesAndHears(), bobsPage.seesAndHears()]);
      assert.equal(await interrupted(), env.bridges.length === 1, 'only people of the bridge that was killed are interrupted');
      await bobsPage.page.getByTestId('leave-button').click();
      await eventually(peopleShown(alice, room, 1), 20_000);
      assert.deepEqual([...new Set(noticesIn(alice, room).map(({ eventId }) => eventId))], [notice.eventId]);
    },
  },
  {
    name: 'goes on without the bridge that started the call, whose people vanish, and come back with it',
    bridges: [2],
    play: async ({ env, alice, bob, carol, join }) => {
      const room = await env.room(alice, bob, carol);
      const { slug } = await env.startCall(alice, room);
      const alicesPage = await join(alice, room, slug);
      const bobsPage = await join(bob, room, slug);
      const carolsPage = await join(carol, room, slug);
      await Promise.all([bobsPage.seesAndHears(), eventually(tilesShown(bobsPage, 3))]);
      const interrupted = await Promise.all([bobsPage.watchInterruptions(), carolsPage.watchInterruptions()]);
      await env.first.kill();
      await eventually(tilesShown(bobsPage, 2), departedMs);
      await bobsPage.seesAndHears();
      // Whoever ends up speaking for the call tells the room who is left.
      await eventually(peopleShown(bob, room, 2), 30_000);
      await env.first.start();
      await backInCall(alicesPage);
      await Promise.all([eventually(tilesShown(bobsPage, 3)), alicesPage.seesAndHears(), bobsPage.seesAndHears()]);
      assert.deepEqual(await Promise.all(interrupted.map((ask) => ask())), [false, false], 'people of the other bridge are not interrupted');
      await alice.say(room, '!visio end');
      await Promise.all([alicesPage, bobsPage, carolsPage].map((page) => page.shows('call-ended')));
    },
  },
  {
    name: 'goes on without the other bridge: its clients vanish and come back with it, its pages are taken in meanwhile',
    bridges: [2],
    play: async ({ env, alice, bob, carol, join, connect }) => {
      const room = await env.room(alice, bob, carol);
      const { slug } = await env.startCall(alice, room);
      const alicesPage = await join(alice, room, slug);
      const bobsPage = await join(bob, room, slug);
      const carols = await connect(carol, slug);
      await carols.run('publishDrawn', { width: 320, height: 180, framesPerSecond: 10, frequency: 440 });
      await Promise.all([alicesPage.seesAndHears(), eventually(tilesShown(alicesPage, 3))]);
      const interrupted = await alicesPage.watchInterruptions();
      await env.homeOf(1).kill();
      try {
        await bobsPage.shows('reconnecting');
        await backInCall(bobsPage);
        assert.equal((await bobsPage.media()).sockets.at(-1), env.first.files.publicUrl.replace('http', 'ws'));
        await eventually(tilesShown(alicesPage, 2), departedMs);
      } finally {
        await env.homeOf(1).start();
      }
      await carols.sees(({ events, state }) => (state === 'connected' && events.includes('reconnected') ? undefined : `carol is not back: ${events.join(', ')}`), 60_000);
      await eventually(tilesShown(alicesPage, 3), 20_000);
      await Promise.all([alicesPage.seesAndHears(), bobsPage.seesAndHears()]);
      assert.equal(await interrupted(), false);
    },
  },
  {
    name: 'goes on while the homeserver is away, and says afterwards what happened',
    play: async ({ env, alice, bob, join }) => {
      const room = await env.room(alice, bob);
      const notice = await env.startCall(alice, room);
      const alicesPage = await join(alice, room, notice.slug);
      const bobsPage = await join(bob, room, notice.slug);
      await Promise.all([alicesPage.seesAndHears(), bobsPage.seesAndHears()]);
      await eventually(peopleShown(alice, room, 2), 15_000);
      const interrupted = await alicesPage.watchInterruptions();
      await env.federation.server(0).kill();
      try {
        await alicesPage.seesAndHears();
        await bobsPage.page.getByTestId('leave-button').click();
        await eventually(tilesShown(alicesPage, 1));
        await alicesPage.page.waitForTimeout(3000);
        assert.equal(await alicesPage.page.getByTestId('call').count(), 1);
        assert.equal(await interrupted(), false);
      } finally {
        await env.federation.server(0).start();
      }
      await eventually(peopleShown(alice, room, 1), 90_000);
      assert.deepEqual([...new Set(noticesIn(alice, room).map(({ eventId }) => eventId))], [notice.eventId]);
    },
  },
  {
    name: 'ends in order at SIGTERM: clients are told, no worker is left, and the next process has the call',
    play: async ({ env, alice, bob, join }) => {
      const room = await env.room(alice, bob);
      const notice = await env.startCall(alice, room);
      const page = await join(alice, room, notice.slug);
      const workers = workersOf(env.first.process.pid);
      assert(workers.length > 0, 'the bridge has no media workers');
      const askedMs = performance.now();
      assert.equal(await env.first.stop(), 'exit status 0');
      assert(performance.now() - askedMs < stoppedMs, `the process has ended after ${performance.now() - askedMs} ms`);
      for (const pid of workers) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
      await page.shows('reconnecting');
      await env.first.start();
      await backInCall(page);
      await eventually(peopleShown(alice, room, 1), 15_000);
    },
  },
];

async function backInCall({ page }: CallPage): Promise<void> {
  await eventually(async () => ((await page.getByTestId('reconnecting').count()) === 0 && (await page.getByTestId('call').count()) === 1 ? undefined : 'the page is not back in the call'), 60_000);
}

/** Processes whose parent is this one, by /proc. */
function workersOf(pid: number | undefined): number[] {
  if (pid === undefined) return [];
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter((text) => text !== '').map(Number);
}
