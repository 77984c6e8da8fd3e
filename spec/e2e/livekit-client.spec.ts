// The oldest and the newest livekit-client that we promise, unmodified, in Chromium, against the real calls and media.
import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { alice, bob, carol } from '../support/builders.ts';
import { startCallHost, type CallHost } from '../support/call-host.ts';
import { launchChromium } from '../support/chromium.ts';
import { RtcPage, servePage, trackOf, type ClientPackage, type PageServer, type RoomView, type RtcClient } from '../support/rtc-client.ts';

const clients: readonly { readonly name: string; readonly client: ClientPackage }[] = [
  { name: 'the oldest client (2.15.0)', client: 'livekit-client-oldest' },
  { name: 'the newest client (2.23.0)', client: 'livekit-client' },
];
const aliceId = `${alice}:A`;
const bobId = `${bob}:B`;

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
    this.timeout(180_000);
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

    it('shows and sounds to both sides', async () => {
      const [a, b] = await joinBoth();
      for (const person of [a, b]) {
        await person.run('microphone', true);
        await person.run('camera', true);
      }
      await a.sees((view) => playing(view, bobId));
      await b.sees((view) => playing(view, aliceId));
      const view = await b.view();
      assert.equal(trackOf(view, aliceId, 'camera')?.mimeType, 'video/VP8');
      assert.equal(trackOf(view, aliceId, 'camera')?.layers, 3);
      assert.equal(view.local.sources, 4);
    });
  });
}
void carol;
