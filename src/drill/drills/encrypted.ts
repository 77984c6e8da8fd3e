// Owns drill 46: frames that people encrypt pass one bridge and two bridges untouched.
import { waitFor } from '../../demo/check/wait.ts';
import { Browsers } from '../browser.ts';
import type { Drill } from '../drill.ts';
import { buildGround } from '../ground.ts';
import { seatGuest } from '../guests.ts';
import { Party } from '../people.ts';

const secret = 'a key that no bridge has';
const framesMs = 150_000;

export const drill46: Drill = {
  id: '46',
  sentence: 'livekit-client encrypts end to end: SHA-256 of n frames is the same at the sender, behind one bridge and behind two.',
  usualN: 2000,
  async run({ n, report, basePort, folder }) {
    await using ground = await buildGround({ basePort, folder, report, organisations: 2 });
    await using browsers = await Browsers.open();
    const party = await Party.gather(ground, [2, 1]);
    await party.startCall(party.person('a1'));
    const sender = await seatGuest(party, browsers, { person: party.person('a1'), page: 'a', secret });
    const near = await seatGuest(party, browsers, { person: party.person('a2'), page: 'a', secret });
    const far = await seatGuest(party, browsers, { person: party.person('b1'), page: 'b', secret });
    await sender.seat.publish({ video: { width: 320, height: 180, framesPerSecond: 10, maxBitrate: 150_000 }, frequency: 330 });
    const viewers = [{ what: 'one bridge', guest: near }, { what: 'two bridges', guest: far }];
    await waitFor(`${n} frames`, async () => {
      const counts = await Promise.all(viewers.map(async ({ guest }) => (await guest.seat.digests()).receive.length));
      return counts.every((count) => count >= n) ? undefined : counts.join(' and ');
    }, framesMs).catch((error: unknown) => {
      report.hold('Enough frames came', false, error instanceof Error ? error.message : String(error));
    });
    // The sender last: what has been received must have been sent before.
    const received = await Promise.all(viewers.map(async ({ guest }) => (await guest.seat.digests()).receive));
    const sent = new Set((await sender.seat.digests()).send);
    let changed = 0;
    for (const [index, { what, guest }] of viewers.entries()) {
      const digests = received[index] ?? [];
      const strange = digests.filter((digest) => !sent.has(digest)).length;
      changed += strange;
      report.hold(`Frames are the same behind ${what}`, digests.length >= n && strange === 0, `${digests.length - strange} of ${digests.length} received, of ${sent.size} sent`);
      report.figures[`frames.${index + 1}`] = digests.length;
      const tracks = (await guest.seat.view()).remote.flatMap((each) => each.tracks);
      report.hold(`… and can be decrypted there`, tracks.some(({ frames }) => frames > 20) && tracks.some(({ energy }) => energy > 0.0001), tracks.map(({ kind, frames, energy }) => (kind === 'video' ? `${frames} pictures` : `sound of energy ${energy.toFixed(3)}`)).join(', '));
    }
    report.figures['encryptedTracks'] = 2;
    return { value: changed, limit: 0 };
  },
};
