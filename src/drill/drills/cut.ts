// Owns drill 26: the link between two bridges is cut for half a minute, then only its media.
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../../demo/check/wait.ts';
import { Browsers, type View } from '../browser.ts';
import type { Drill } from '../drill.ts';
import { percentile, rounded } from '../figures.ts';
import { buildGround, type Ground } from '../ground.ts';
import { awaitMedia, rosterOf, seatGuest, smallPicture, type Guest } from '../guests.ts';
import { Party } from '../people.ts';

const cutMs = 30_000;
/** docs/protocol/cascade.md: 6 s without a frame, then 15 s of grace; and a moment. */
const lostMs = 7000;
const goneMs = { least: 15_000, most: 23_000 };
const repairedMs = 2000;
const pipeDeadMs = 3000;
const mediaBackMs = 75_000;
const tracksEach = 2;

export const drill26: Drill = {
  id: '26',
  sentence: 'The link is cut for 30 s (nothing passes, nobody is told), then mended; then only the media are cut. n people on each side.',
  usualN: 2,
  async run({ n, report, basePort, folder }) {
    await using ground = await buildGround({ basePort, folder, report, organisations: 2 });
    await using browsers = await Browsers.open();
    const party = await Party.gather(ground, [n, n]);
    await party.startCall(party.person('a1'));
    const guests: Guest[] = [];
    for (const [index, person] of party.people.entries()) guests.push(await seatGuest(party, browsers, { person, page: `organisation ${person.place}`, publish: smallPicture(index) }));
    const everybody = { others: guests.length - 1, tracks: tracksEach };
    await awaitMedia(guests, everybody);
    report.note('all see and hear each other', `${guests.length} people`);

    const before = await localTracks(guests);
    const cutAtMs = Date.now();
    cut(ground, true);
    await sleep(cutMs);
    const mendedAtMs = Date.now();
    cut(ground, false);
    const returned = mediaReturn(guests, mendedAtMs);
    const after = await localTracks(guests);
    const lost = after.lost - before.lost;
    report.hold('Media on each side lost nothing', lost === 0 && after.packets > before.packets, `${lost} of ${after.packets - before.packets} packets`);
    for (const bridge of ground.bridges) {
      const entry = bridge.log.since(cutAtMs, ({ message }) => message === 'neighbour lost')[0];
      const seenMs = entry === undefined ? undefined : entry.timestamp - cutAtMs;
      report.hold(`${bridge.serverName} notices that its neighbour is lost`, seenMs !== undefined && seenMs <= lostMs, seenMs === undefined ? 'never' : `after ${(seenMs / 1000).toFixed(1)} s`);
      const stalled = bridge.log.since(cutAtMs, ({ message }) => message === 'media of a neighbour do not arrive')[0];
      report.figures[`mediaMissedMs.${bridge.place}`] = stalled === undefined ? null : stalled.timestamp - cutAtMs;
    }
    const departures = (await Promise.all(guests.map(({ seat }) => seat.people()))).map((log) => log.filter(({ what, atMs }) => what === 'left' && atMs >= cutAtMs && atMs < mendedAtMs).map(({ atMs }) => atMs - cutAtMs));
    const all = departures.flat();
    report.hold('People beyond the border stay for 15 s, then leave', departures.every((list) => list.length === n) && Math.min(...all) >= goneMs.least && Math.max(...all) <= goneMs.most, `${all.length} departures, ${all.length === 0 ? 'none' : `after ${(Math.min(...all) / 1000).toFixed(1)} to ${(Math.max(...all) / 1000).toFixed(1)} s`}`);

    const times = await returned;
    const p95 = percentile(times, 0.95);
    report.hold('Media are back within 2 s of the repair (p95)', p95 <= repairedMs, `${times.length} of ${2 * n * n * tracksEach} streams, p95 ${(p95 / 1000).toFixed(2)} s, ${linkBack(ground, mendedAtMs)}`);
    report.figures['returnedMs'] = { p50: rounded(percentile(times, 0.5), 0), p95: rounded(p95, 0), most: rounded(Math.max(...times), 0) };
    const rosters = await Promise.all(guests.map(async (guest) => rosterOf(guest, await guest.seat.view()).join(' ')));
    report.hold('Rosters are equal, nobody is there twice', new Set(rosters).size === 1 && new Set(rosters[0]?.split(' ')).size === guests.length, `${new Set(rosters).size} different, ${rosters[0]?.split(' ').length ?? 0} people`);

    await awaitMedia(guests, everybody);
    const pipeCutAtMs = Date.now();
    ground.border.isCut = true;
    await sleep(pipeDeadMs + 3000);
    for (const bridge of ground.bridges) {
      const entry = bridge.log.since(pipeCutAtMs, ({ message }) => message === 'media of a neighbour do not arrive')[0];
      const seenMs = entry === undefined ? undefined : entry.timestamp - pipeCutAtMs;
      const stalled = /^viaduc_neighbour_stalled_calls\{[^}]*\} (\d+)$/m.exec(await bridge.metrics())?.[1] ?? 'no metric';
      report.hold(`${bridge.serverName} notices that media do not pass`, seenMs !== undefined && seenMs <= pipeDeadMs && stalled === '1', `${seenMs === undefined ? 'never' : `after ${(seenMs / 1000).toFixed(2)} s`}; stalled calls in its metrics: ${stalled}`);
      report.figures[`pipeDeadSeenMs.${bridge.place}`] = seenMs ?? null;
    }
    report.hold('The link lives meanwhile', ground.bridges.every((bridge) => bridge.log.since(pipeCutAtMs, ({ message }) => message === 'neighbour lost').length === 0), 'no neighbour lost');
    const pipeMendedAtMs = Date.now();
    ground.border.isCut = false;
    const again = await mediaReturn(guests, pipeMendedAtMs);
    report.hold('Media are back within 2 s of the path\'s repair (p95)', percentile(again, 0.95) <= repairedMs, `p95 ${(percentile(again, 0.95) / 1000).toFixed(2)} s`);
    return { value: rounded(p95, 0), limit: repairedMs };
  },
};

function cut(ground: Ground, isCut: boolean): void {
  ground.border.isCut = isCut;
  for (const { door } of ground.bridges) door.set(isCut ? 'silent' : 'open');
}

/** Packets of tracks whose publisher is of the viewer's own organisation, summed up over all viewers. */
async function localTracks(guests: readonly Guest[]): Promise<{ readonly packets: number; readonly lost: number }> {
  let packets = 0;
  let lost = 0;
  for (const guest of guests) {
    const { remote } = await guest.seat.view();
    for (const track of remote.filter((each) => serverOf(each) === serverName(guest)).flatMap(({ tracks }) => tracks)) {
      packets += track.packets;
      lost += track.lost;
    }
  }
  return { packets, lost };
}

/** For each viewer and track from beyond the border: how long after that time its packets came. Milliseconds. */
async function mediaReturn(guests: readonly Guest[], sinceMs: number): Promise<readonly number[]> {
  const times = await Promise.all(
    guests.map(async (guest) => {
      const found = new Map<string, number>();
      const seen = new Map<string, number>();
      const others = new Set(guests.filter(({ person }) => person.place !== guest.person.place).map(({ person }) => person.userId));
      await waitFor('media to return', async () => {
        for (const each of (await guest.seat.view()).remote) {
          const user = each.attributes['user_id'] ?? '';
          if (!others.has(user)) continue;
          for (const track of each.tracks) {
            const key = `${each.sid} ${track.sid}`;
            const before = seen.get(key) ?? 0;
            seen.set(key, track.packets);
            // Packets are looked for, not counters: those of before the cut are known after the first look.
            if (track.packets > before && track.lastPacketAtMs > sinceMs && !found.has(`${user} ${track.kind}`)) found.set(`${user} ${track.kind}`, Math.max(0, Date.now() - sinceMs));
          }
        }
        return found.size === others.size * tracksEach ? undefined : `${guest.person.name} has ${found.size} of ${others.size * tracksEach}`;
      }, mediaBackMs).catch(() => undefined);
      return [...found.values()];
    }),
  );
  const expected = guests.reduce((total, guest) => total + guests.filter(({ person }) => person.place !== guest.person.place).length * tracksEach, 0);
  const all = times.flat();
  // What has never come counts as never.
  return [...all, ...Array.from({ length: expected - all.length }, () => mediaBackMs)];
}

function linkBack(ground: Ground, mendedAtMs: number): string {
  const ups = ground.bridges.flatMap((bridge) => bridge.log.since(mendedAtMs, ({ message }) => message === 'link up').slice(0, 1));
  return ups.length === 0 ? 'the link is not back' : `link back after ${((Math.min(...ups.map(({ timestamp }) => timestamp)) - mendedAtMs) / 1000).toFixed(2)} s`;
}

function serverName({ person }: Guest): string {
  return person.userId.slice(person.userId.indexOf(':') + 1);
}

function serverOf({ attributes }: View['remote'][number]): string {
  const user = attributes['user_id'] ?? '';
  return user.slice(user.indexOf(':') + 1);
}
