// Owns the drill cascade-views: three ministries meet, and every client speaks to its own bridge only.
import { organisationPorts } from '../../demo/organisations.ts';
import { waitFor } from '../../demo/check/wait.ts';
import { Browsers, type Seat } from '../browser.ts';
import type { Drill } from '../drill.ts';
import { buildGround } from '../ground.ts';
import { Party, type Person } from '../people.ts';
import { rounded } from '../figures.ts';

const wantedFrames = 30;
const audibleEnergy = 0.000_01;
const bridges = 3;
const mediaMs = 90_000;

interface Guest {
  readonly person: Person;
  readonly seat: Seat;
  readonly identity: string;
}

export const cascadeViews: Drill = {
  id: 'cascade-views',
  sentence: 'Three bridges, n people on each: every client speaks to its own bridge only, and everyone sees and hears everyone.',
  usualN: 3,
  async run({ n, report, basePort, folder }) {
    await using ground = await buildGround({ basePort, folder, report, organisations: bridges });
    await using browsers = await Browsers.open();
    const party = await Party.gather(ground, Array.from({ length: bridges }, () => n));
    await party.startCall(party.person('a1'));
    const guests: Guest[] = [];
    for (const [index, person] of party.people.entries()) {
      const seat = await browsers.seat(`organisation ${person.place}`);
      const ticket = await party.homeTicket(person);
      await seat.connect(ticket, { show: false });
      await seat.publish({ video: { width: 192, height: 108, framesPerSecond: 6, maxBitrate: 60_000 }, frequency: 220 + 40 * index });
      guests.push({ person, seat, identity: ticket.identity });
    }
    report.note('all have joined and publish', `${guests.length} people`);

    const others = guests.length - 1;
    const startMs = performance.now();
    let fewestFrames = 0;
    let missing = '';
    try {
      await waitFor('everybody to see and hear everybody', async () => {
        const views = await Promise.all(guests.map(async (guest) => ({ guest, view: await guest.seat.view() })));
        const tracks = (kind: string) => views.map(({ view }) => view.remote.flatMap((each) => each.tracks.filter((track) => track.kind === kind)));
        fewestFrames = Math.min(...tracks('video').map((list) => (list.length < others ? 0 : Math.min(...list.map(({ frames }) => frames)))));
        const deaf = tracks('audio').filter((list) => list.filter(({ energy }) => energy > audibleEnergy).length < others).length;
        const lonely = views.filter(({ view }) => view.remote.length !== others).length;
        missing = `${lonely} miss somebody, fewest frames ${fewestFrames}, ${deaf} miss somebody's sound`;
        return lonely === 0 && fewestFrames >= wantedFrames && deaf === 0 ? undefined : missing;
      }, mediaMs);
      missing = '';
    } catch {
      // Said in the row below.
    }
    report.hold('Everyone sees (30 frames decoded) and hears everyone', missing === '', missing === '' ? `after ${((performance.now() - startMs) / 1000).toFixed(1)} s, fewest frames ${fewestFrames}` : missing);

    let strangeWires = 0;
    let flows = 0;
    for (const { person, seat } of guests) {
      const { sockets, remotes, selected } = await seat.wires();
      const own = ground.bridge(person.place);
      const ports = organisationPorts(basePort, person.place);
      const isOwn = (address: string): boolean => [ports.media, ports.media + 1].some((port) => address === `127.0.0.1:${port}`);
      const strange = [...sockets.filter((host) => host !== new URL(own.publicUrl).host), ...remotes.filter((address) => !isOwn(address)), ...selected.filter((flow) => !isOwn(flow.split(' ')[1] ?? ''))];
      strangeWires += strange.length;
      flows += selected.length;
      report.hold(`${person.userId} speaks to its own bridge only`, strange.length === 0 && sockets.length > 0 && selected.length > 0, strange.length === 0 ? `${sockets.join(', ')}; ${selected.join(', ')}` : `also to ${strange.join(', ')}`);
    }
    const rosters = await Promise.all(guests.map(async ({ seat }) => (await seat.view()).remote.map((each) => each.attributes['user_id'] ?? each.identity)));
    report.hold('Nobody is there twice', rosters.every((roster) => new Set(roster).size === roster.length), `${rosters.map((roster) => roster.length).join(', ')} others`);
    report.figures['people'] = guests.length;
    report.figures['fewestFrames'] = fewestFrames;
    report.figures['flows'] = flows;
    report.figures['borderBytes'] = Object.fromEntries(ground.bridges.flatMap(({ place }) => ground.bridges.filter((other) => other.place !== place).map((other) => [`${place}-${other.place}`, ground.border.crossed(place, other.place).bytes])));
    report.figures['seconds'] = rounded((performance.now() - startMs) / 1000, 1);
    return { value: strangeWires, limit: 0 };
  },
};
