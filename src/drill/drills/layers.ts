// Owns the drill about layers on the border: those that nobody beyond it watches are not sent.
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../../demo/check/wait.ts';
import { Browsers } from '../browser.ts';
import type { Drill } from '../drill.ts';
import { rounded } from '../figures.ts';
import { buildGround, type Ground } from '../ground.ts';
import { seatGuest, type Guest } from '../guests.ts';
import { Party } from '../people.ts';

const windowMs = 5000;
const climbMs = 60_000;
const stepMs = 250;
/** Told 2 s after the last viewer turned away (docs/protocol/cascade.md §2.6). */
const mostUntilGoneMs = 3000;
/** Chromium gives the lowest of three layers about a tenth of the bits. */
const mostLowShare = 0.3;

export const cascadeLayers: Drill = {
  id: 'cascade-layers',
  sentence: 'A speaker in three layers, watched by n people beyond the border, large and then small: the large layers cross only while somebody watches them.',
  usualN: 2,
  async run({ basePort, folder, n, report }) {
    await using ground = await buildGround({ basePort, folder, report, organisations: 2 });
    await using browsers = await Browsers.open();
    const party = await Party.gather(ground, [1, n]);
    await party.startCall(party.person('a1'));
    await seatGuest(party, browsers, { person: party.person('a1'), page: 'speaker', publish: { video: { width: 1280, height: 720, framesPerSecond: 15, maxBitrate: 1_700_000, simulcast: true } } });
    const viewers: Guest[] = [];
    for (const person of party.of(1)) viewers.push(await seatGuest(party, browsers, { person, page: 'viewers' }));

    await seen(viewers, 1280);
    const large = await bytesPerSecond(ground);
    for (const { seat } of viewers.slice(1)) await seat.setQuality(0);
    await sleep(windowMs);
    const mixed = await bytesPerSecond(ground);
    await viewers[0]?.seat.setQuality(0);
    const turnedAtMs = performance.now();
    const goneAfterMs = await untilFewer(ground, large / 2) - turnedAtMs;
    await seen(viewers, 320);
    const small = await bytesPerSecond(ground);
    await viewers[0]?.seat.setQuality(2);
    const backAtMs = performance.now();
    await seen(viewers.slice(0, 1), 1280);
    const backAfterMs = performance.now() - backAtMs;

    const share = rounded(small / large, 3);
    report.figures['bytesPerSecond'] = { large, largeForOne: mixed, small };
    report.figures['goneAfterMs'] = Math.round(goneAfterMs);
    report.figures['backAfterMs'] = Math.round(backAfterMs);
    report.note('Bytes per second on the border', `${large} while all watch the large picture, ${mixed} while one does, ${small} while nobody does`);
    if (n > 1) report.hold('The large layers cross while one person watches them', mixed > large / 2, `${mixed} of ${large}`);
    report.hold('They do not while nobody does', share <= mostLowShare, `${(share * 100).toFixed(0)} % of the bytes are left`);
    report.hold('They are gone soon after the last one turned away', goneAfterMs <= mostUntilGoneMs, `after ${(goneAfterMs / 1000).toFixed(1)} s; 2 s are waited on purpose`);
    report.note('The large picture is back', `${(backAfterMs / 1000).toFixed(1)} s after somebody asked for it`);
    return { value: share, limit: mostLowShare };
  },
};

async function seen(viewers: readonly Guest[], width: number): Promise<void> {
  await waitFor(`pictures ${width} wide`, async () => {
    const views = await Promise.all(viewers.map(({ seat }) => seat.view()));
    const widths = views.map(({ remote }) => Math.max(0, ...remote.flatMap(({ tracks }) => tracks.map((track) => track.width))));
    return widths.every((each) => each === width) ? undefined : `they are ${widths.join(', ')} wide`;
  }, climbMs);
}

const crossed = ({ border }: Ground): number => border.crossed(0, 1).bytes;

async function bytesPerSecond(ground: Ground): Promise<number> {
  const [before, atMs] = [crossed(ground), performance.now()];
  await sleep(windowMs);
  return Math.round((crossed(ground) - before) / ((performance.now() - atMs) / 1000));
}

/** When fewer bytes cross than that, in a second. */
async function untilFewer(ground: Ground, perSecond: number): Promise<number> {
  const deadline = performance.now() + climbMs;
  for (;;) {
    const [before, atMs] = [crossed(ground), performance.now()];
    await sleep(stepMs);
    if ((crossed(ground) - before) / ((performance.now() - atMs) / 1000) < perSecond) return atMs;
    if (performance.now() > deadline) throw new Error(`more than ${Math.round(perSecond)} bytes cross every second, for nobody`);
  }
}
