// The oldest and the newest livekit-client that we promise, unmodified, in Chromium, against the real calls and media.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { memberPermissions } from '../../src/call/roles.ts';
import { alice, bob } from '../support/builders.ts';
import { startCallHost, type CallHost } from '../support/call-host.ts';
import { launchChromium } from '../support/chromium.ts';
import { RtcPage, servePage, trackOf, type ClientPackage, type PageServer, type RoomView, type RtcClient } from '../support/rtc-client.ts';

const clients: readonly { readonly name: string; readonly client: ClientPackage }[] = [
  { name: 'the oldest client (2.15.0)', client: 'livekit-client-oldest' },
  { name: 'the newest client (2.23.0)', client: 'livekit-client' },
];
const aliceId = `${alice}:A`;
const bobId = `${bob}:B`;

/** LiveKit DisconnectReason.DUPLICATE_IDENTITY. */
const duplicateIdentity = 2;

async function framesAt(viewer: RtcClient, identity: string): Promise<number> {
  return trackOf(await viewer.view(), identity, 'camera')?.frames ?? 0;
}

/** Decoded frames and sound of one person, above what there was before. */
function playing(view: RoomView, identity: string, more: { readonly frames?: number; readonly energy?: number } = {}): string | undefined {
  const camera = trackOf(view, identity, 'camera');
  const microphone = trackOf(view, identity, 'microphone');
  if (camera === undefined || microphone === undefined) return `no camera or microphone of ${identity}`;
  if (camera.frames <= (more.frames ?? 10)) return `only ${camera.frames} frames of ${identity} decoded`;
  if (microphone.energy <= (more.energy ?? 0)) return `no sound of ${identity}`;
  return undefined;
}

for (const { name, client } of clients) {
  describe(`A call with ${name}`, function () {
    this.timeout(300_000);
    let browser: Browser;
    let pages: PageServer;
    let host: CallHost;
    let left: RtcPage;
    let right: RtcPage;

    before(async () => {
      browser = await launchChromium();
      pages = await servePage(client);
    });

    after(async () => {
      await browser.close();
      await pages[Symbol.asyncDispose]();
    });

    beforeEach(async () => {
      host = await startCallHost();
      left = await RtcPage.open(browser, pages.url);
      right = await RtcPage.open(browser, pages.url);
    });

    afterEach(async () => {
      await left.close();
      await right.close();
      await host[Symbol.asyncDispose]();
    });

    async function join(page: RtcPage, user: typeof alice, device: string): Promise<RtcClient> {
      const person = page.client(device);
      await person.run('connect', host.url, await host.ticket(user, device));
      return person;
    }

    async function joinBoth(): Promise<readonly [RtcClient, RtcClient]> {
      return [await join(left, alice, 'A'), await join(right, bob, 'B')];
    }

    /** Both in the call with camera and microphone, each playing at the other. */
    async function talkBoth(): Promise<readonly [RtcClient, RtcClient]> {
      const [a, b] = await joinBoth();
      for (const person of [a, b]) {
        await person.run('microphone', true);
        await person.run('camera', true);
      }
      await a.sees((view) => playing(view, bobId));
      await b.sees((view) => playing(view, aliceId));
      return [a, b];
    }

    it('shows and sounds to both sides', async () => {
      const [a, b] = await talkBoth();
      const view = await b.view();
      assert.equal(trackOf(view, aliceId, 'camera')?.mimeType, 'video/VP8');
      assert.equal(trackOf(view, aliceId, 'camera')?.layers, 3);
      assert.equal(view.local.sources, 4);
      assert.equal(view.roomSid, `RM_${host.live.call.id.slice(2)}`);
      await a.sees(({ count, events }) => (count !== 2 ? `room count is ${count}` : events.includes('localTrackSubscribed') ? undefined : 'nobody was told to receive our track'));
      // How good it is depends on the machine.
      await b.sees(({ remote, local }) => (remote[0]?.quality !== 'unknown' && local.quality !== 'unknown' ? undefined : 'the quality of the connections is not told'));
    });

    it('changes the simulcast layer with the size and the quality that a viewer asks for', async () => {
      const [, b] = await talkBoth();
      const width = (expected: (width: number) => boolean, what: string) => (view: RoomView): string | undefined => {
        const now = trackOf(view, aliceId, 'camera')?.width ?? 0;
        return expected(now) ? undefined : `${what}: the picture is ${now} wide`;
      };
      await b.sees(width((now) => now === 1280, 'the best at first'), 60_000);
      await b.run('wishSize', aliceId, 'camera', 300, 170);
      await b.sees(width((now) => now === 320, 'a small tile'));
      await b.run('wishSize', aliceId, 'camera', 640, 360);
      await b.sees(width((now) => now === 640, 'a middle tile'));
      await b.run('wishSize', aliceId, 'camera', 1280, 720);
      await b.sees(width((now) => now === 1280, 'a large tile'), 60_000);
    });

    it('gives tiles on the page the layer that fits them, and nothing to hidden ones', async () => {
      const a = await join(left, alice, 'A');
      await a.run('camera', true);
      const b = right.client('B');
      await b.run('connect', host.url, await host.ticket(bob, 'B'), { adaptiveStream: true, dynacast: true });
      const width = (expected: number) => (view: RoomView): string | undefined => {
        const now = trackOf(view, aliceId, 'camera')?.width ?? 0;
        return now === expected ? undefined : `the picture is ${now} wide instead of ${expected}`;
      };
      await b.sees((view) => (trackOf(view, aliceId, 'camera')?.subscribed === true ? undefined : 'not subscribed'));
      await b.run('tileWidth', aliceId, 'camera', 200);
      await b.sees(width(320));
      await b.run('tileWidth', aliceId, 'camera', 640);
      await b.sees(width(640));
      await b.run('tileWidth', aliceId, 'camera', 0);
      let before = -1;
      await b.sees(async (view) => {
        const now = trackOf(view, aliceId, 'camera')?.frames ?? 0;
        const still = now === before;
        before = now;
        await sleep(500);
        return still ? undefined : 'frames still arrive at the hidden tile';
      });
    });

    it('follows a wish for a lower quality', async () => {
      const [, b] = await talkBoth();
      await b.run('wishQuality', aliceId, 'camera', 'low');
      await b.sees((view) => (trackOf(view, aliceId, 'camera')?.width === 320 ? undefined : `the picture is ${trackOf(view, aliceId, 'camera')?.width} wide`));
    });

    it('stops sending a picture that nobody looks at, and starts again', async () => {
      const [, b] = await talkBoth();
      await b.run('enable', aliceId, 'camera', false);
      let before = await framesAt(b, aliceId);
      await b.sees(async (view) => {
        const now = trackOf(view, aliceId, 'camera')?.frames ?? 0;
        const still = now === before;
        before = now;
        await sleep(500);
        return still ? undefined : 'frames still arrive';
      });
      await b.run('enable', aliceId, 'camera', true);
      await b.sees((view) => playing(view, aliceId, { frames: before + 10 }));
    });

    it('mutes and unmutes microphone and camera', async () => {
      const [a, b] = await talkBoth();
      await a.run('microphone', false);
      await a.run('camera', false);
      await b.sees((view) => (trackOf(view, aliceId, 'microphone')?.muted === true && trackOf(view, aliceId, 'camera')?.muted === true ? undefined : 'the tracks are not muted'));
      const muted = await b.view();
      await a.run('microphone', true);
      await a.run('camera', true);
      await b.sees((view) => (trackOf(view, aliceId, 'microphone')?.muted === false && trackOf(view, aliceId, 'camera')?.muted === false ? undefined : 'the tracks are still muted'));
      const energy = trackOf(muted, aliceId, 'microphone')?.energy ?? 0;
      const frames = trackOf(muted, aliceId, 'camera')?.frames ?? 0;
      await b.sees((view) => playing(view, aliceId, { frames: frames + 10, energy }));
    });

    it('shares a screen with sound, and stops', async () => {
      const [a, b] = await talkBoth();
      await a.run('publishDrawn', { width: 1280, height: 720, framesPerSecond: 10, frequency: 300, source: 'screen_share', audioSource: 'screen_share_audio', simulcast: false, stereo: true });
      await b.sees((view) => {
        const picture = trackOf(view, aliceId, 'screen_share');
        const sound = trackOf(view, aliceId, 'screen_share_audio');
        if (picture === undefined || picture.frames < 5) return `only ${picture?.frames ?? 0} frames of the screen`;
        return sound !== undefined && sound.energy > 0 ? playing(view, aliceId) : 'no sound of the screen';
      });
      await a.run('unpublish', 'screen_share');
      await a.run('unpublish', 'screen_share_audio');
      await b.sees((view) => (trackOf(view, aliceId, 'screen_share') ?? trackOf(view, aliceId, 'screen_share_audio') ? 'the screen is still shared' : undefined));
      await a.run('publishDrawn', { width: 640, height: 360, framesPerSecond: 10, frequency: 300, source: 'screen_share', audioSource: 'screen_share_audio', simulcast: false });
      await b.sees((view) => {
        const picture = trackOf(view, aliceId, 'screen_share');
        return picture !== undefined && picture.frames > 5 && picture.width === 640 ? undefined : `the second screen has ${picture?.frames ?? 0} frames`;
      });
    });

    it('shares the tab itself through the browser\'s own capture', async () => {
      const [a, b] = await joinBoth();
      await a.run('screen', true);
      await b.sees((view) => {
        const picture = trackOf(view, aliceId, 'screen_share');
        return picture !== undefined && picture.width > 0 ? undefined : 'no picture of the tab';
      });
      await a.run('screen', false);
      await b.sees((view) => (trackOf(view, aliceId, 'screen_share') === undefined ? undefined : 'the tab is still shared'));
    });

    it('tells who speaks, and that they stopped', async () => {
      const [a, b] = await joinBoth();
      await a.run('publishDrawn', { width: 320, height: 180, framesPerSecond: 5, frequency: 440 });
      await b.sees(({ speakers }) => (speakers.includes(aliceId) ? undefined : 'nobody speaks'));
      await a.sees(({ local, speakers }) => (local.speaking && speakers.includes(aliceId) ? undefined : 'the speaker does not hear of it'));
      await a.run('unpublish', 'microphone');
      await b.sees(({ speakers, remote }) => (speakers.length === 0 && remote[0]?.speaking === false ? undefined : 'somebody still speaks'));
    });

    it('hands on attributes, and refuses metadata that is too large', async () => {
      const [a, b] = await joinBoth();
      await a.run('setAttributes', { handRaisedAt: 'now' });
      await b.sees(({ remote }) => (remote[0]?.attributes['handRaisedAt'] === 'now' ? undefined : 'the hand is not raised'));
      await a.run('setAttributes', { handRaisedAt: '' });
      await b.sees(({ remote }) => (remote[0]?.attributes['handRaisedAt'] === undefined ? undefined : 'the hand is still raised'));
      await assert.rejects(a.run('setMetadata', 'm'.repeat(512 * 1024 + 1)));
      await a.run('setMetadata', 'small');
      await b.sees(({ remote }) => (remote[0]?.metadata === 'small' ? undefined : 'the metadata did not arrive'));
    });

    it('unsubscribes and subscribes again', async () => {
      const [, b] = await talkBoth();
      await b.run('subscribe', aliceId, 'camera', false);
      await b.sees((view) => (trackOf(view, aliceId, 'camera')?.subscribed === false ? undefined : 'still subscribed'));
      await b.run('subscribe', aliceId, 'camera', true);
      await b.sees((view) => playing(view, aliceId));
    });

    it('replaces an earlier session of the same identity', async () => {
      const [a, b] = await talkBoth();
      const again = right.client('A2');
      await again.run('connect', host.url, await host.ticket(alice, 'A'));
      await a.sees(({ events }) => (events.includes(`disconnected:${duplicateIdentity}`) ? undefined : `the first session was told ${events.join(', ')}`));
      await again.sees((view) => playing(view, bobId));
      await b.sees(({ remote }) => (remote.length === 1 && remote[0]?.tracks.length === 0 ? undefined : 'the other side sees the first session still'));
    });

    it('lets people leave and come back', async () => {
      const [a, b] = await talkBoth();
      await a.run('disconnect');
      await b.sees(({ remote }) => (remote.length === 0 ? undefined : 'the other is still there'));
      const back = await join(left, alice, 'A');
      await back.run('microphone', true);
      await back.run('camera', true);
      await b.sees((view) => playing(view, aliceId));
      await back.sees((view) => playing(view, bobId));
    });

    it('brings people back by itself after their connection broke', async () => {
      const [a, b] = await talkBoth();
      host.breakFirstConnection();
      await a.sees(({ events, state }) => (events.includes('reconnected') && state === 'connected' ? undefined : `not back yet: ${events.join(', ')}`), 60_000);
      await a.sees((view) => playing(view, bobId), 60_000);
      await b.sees((view) => playing(view, aliceId), 60_000);
      assert.equal(host.live.call.participants.size, 2);
    });

    it('brings people back by itself after a media worker died', async () => {
      const [a, b] = await joinBoth();
      // Drawn pictures: Chromium's generated camera may stay dark when two pages restart it in the same moment.
      for (const person of [a, b]) await person.run('publishDrawn', { width: 320, height: 180, framesPerSecond: 10, frequency: 440 });
      await a.sees((view) => playing(view, bobId));
      await b.sees((view) => playing(view, aliceId));
      const { workers } = await host.media.snapshot();
      const busy = workers.find(({ routers }) => routers > 0);
      assert.ok(busy !== undefined);
      process.kill(busy.pid, 'SIGKILL');
      for (const person of [a, b]) await person.sees(({ events, state }) => (events.includes('reconnected') && state === 'connected' ? undefined : `not back yet: ${events.join(', ')}`), 60_000);
      await a.sees((view) => playing(view, bobId), 60_000);
      await b.sees((view) => playing(view, aliceId), 60_000);
    });

    it('lets somebody in who may only send', async () => {
      await host[Symbol.asyncDispose]();
      host = await startCallHost({ permissions: new Map([[alice, { ...memberPermissions, maySubscribe: false }]]) });
      const [a, b] = await joinBoth();
      for (const person of [a, b]) await person.run('publishDrawn', { width: 320, height: 180, framesPerSecond: 10, frequency: 440 });
      await b.sees((view) => playing(view, aliceId));
      await a.sees((view) => (trackOf(view, bobId, 'camera')?.subscribed === false ? undefined : 'it should see the other\'s track and not receive it'));
      assert.deepEqual([...host.live.call.participants.values()].map(({ state }) => state), ['active', 'active']);
    });

    it('carries ten people in one call', async () => {
      const people = Array.from({ length: 10 }, (_, i) => ({ user: i % 2 === 0 ? alice : bob, device: `P${i}`, page: i % 2 === 0 ? left : right }));
      const joined: RtcClient[] = [];
      for (const { user, device, page } of people) joined.push(await join(page, user, device));
      for (const person of joined) await person.run('publishDrawn', { width: 160, height: 120, framesPerSecond: 5, frequency: 200 + joined.indexOf(person) * 50 });
      for (const person of joined) {
        await person.sees((view) => {
          if (view.remote.length !== 9) return `${view.remote.length} others instead of 9`;
          const silent = view.remote.find(({ identity }) => playing(view, identity, { frames: 3 }) !== undefined);
          return silent === undefined ? undefined : playing(view, silent.identity, { frames: 3 });
        }, 120_000);
      }
      await joined[0]?.sees(({ count }) => (count === 10 ? undefined : `room count is ${count}`));
    });
  });
}
