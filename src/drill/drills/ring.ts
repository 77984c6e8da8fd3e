// Owns drill 28: three bridges that are all linked, and then one of them replaced by a liar that announces others' people again.
import { setTimeout as sleep } from 'node:timers/promises';
import { Browsers } from '../browser.ts';
import type { Drill } from '../drill.ts';
import { FalseNeighbour, roomOf } from '../false-neighbour.ts';
import { buildGround } from '../ground.ts';
import { packetsOf, rosterOf, seatGuest } from '../guests.ts';
import { awaitMedia } from '../guests.ts';
import { Party } from '../people.ts';
import { RtpCount } from '../rtp-count.ts';

const places = [0, 1, 2];
/** At most one window of packets is under way when two counters are read one after the other. */
const underWay = 0.05;

export const drill28: Drill = {
  id: '28',
  sentence: 'Three bridges in a ring, then one is a liar that announces everybody\'s people again: each packet crosses each border once. n seconds of media.',
  usualN: 8,
  async run({ n, report, basePort, folder }) {
    await using ground = await buildGround({ basePort, folder, report, organisations: places.length });
    await using browsers = await Browsers.open();
    const party = await Party.gather(ground, [1, 1, 1]);
    const [a1, b1, c1] = [party.person('a1'), party.person('b1'), party.person('c1')];
    await party.startCall(a1);
    const speaker = await seatGuest(party, browsers, { person: a1, page: 'a', publish: { video: { width: 320, height: 180, framesPerSecond: 10, maxBitrate: 150_000 }, frequency: 330 } });
    const [second, third] = [await seatGuest(party, browsers, { person: b1, page: 'b' }), await seatGuest(party, browsers, { person: c1, page: 'c' })];
    await awaitMedia([second, third], { others: 2, tracks: 1 });
    let wrong = 0;
    const once = async (what: string, viewers: readonly typeof second[], receivers: readonly number[]): Promise<void> => {
      const count = new RtpCount(ground.border);
      const received = async (): Promise<readonly number[]> => Promise.all(viewers.map(async ({ seat }) => packetsOf(await seat.view())));
      const before = { sent: await speaker.seat.sent(), received: await received() };
      await sleep(n * 1000);
      const after = { sent: await speaker.seat.sent(), received: await received() };
      count.end();
      const sent = after.sent.packets - before.sent.packets;
      for (const place of receivers) {
        const [crossed, repeated] = [count.packets(0, place), count.repeated(0, place)];
        wrong += repeated;
        report.hold(`${what}: each packet goes once to bridge ${place}`, repeated === 0 && Math.abs(crossed / sent - 1) <= underWay, `${crossed} of ${sent} sent, ${repeated} twice`);
      }
      const loops = places.flatMap((from) => places.map((to) => [from, to] as const)).filter(([from]) => from !== 0);
      const looped = loops.reduce((total, [from, to]) => total + count.packets(from, to), 0);
      wrong += looped;
      report.hold(`${what}: no media goes on to a third bridge or back`, looped === 0, `${looped} packets between others`);
      report.hold(`${what}: viewers receive what was sent, once`, viewers.every((_, index) => Math.abs(((after.received[index] ?? 0) - (before.received[index] ?? 0)) / sent - 1) <= underWay), viewers.map((_, index) => String((after.received[index] ?? 0) - (before.received[index] ?? 0))).join(', '));
    };
    await once('Ring', [second, third], [1, 2]);

    await third.seat.disconnect();
    await ground.bridge(2).kill();
    await using liar = await FalseNeighbour.open(ground, 2, basePort);
    const honest = [ground.bridge(0), ground.bridge(1)] as const;
    for (const { serverName } of honest) await liar.linked(serverName);
    for (const { serverName } of honest) await liar.claimCall(serverName, party.roomId);
    const mirrors = liar.announced();
    report.hold('The liar was told whom the two others have', mirrors.length >= 2, mirrors.map(({ user }) => user).join(', '));
    for (const { serverName } of honest) liar.say(serverName, { type: 'people', room: roomOf(party.roomId), people: mirrors });
    for (const { serverName } of honest) for (const person of mirrors) liar.say(serverName, { type: 'person', room: roomOf(party.roomId), person: { ...person, device: person.device + 1000 } });
    await sleep(2000);
    for (const bridge of honest) {
      const refused = await bridge.refusals('person');
      report.hold(`${bridge.serverName} refuses whom others have`, refused >= 2 * mirrors.length, `${refused} refusals of ${2 * mirrors.length}`);
    }
    const rosters = [rosterOf(speaker, await speaker.seat.view()), rosterOf(second, await second.seat.view())].map((roster) => roster.filter((user) => user !== c1.userId));
    report.hold('Nobody appears twice', rosters.every((roster) => roster.join(' ') === [a1.userId, b1.userId].toSorted().join(' ')), rosters.map((roster) => roster.join(' ')).join(' | '));
    await once('Liar', [second], [1]);
    report.hold('The liar is given no media that it did not ask for', ground.border.strays === 0, `${ground.border.strays} stray packets`);
    return { value: wrong, limit: 0 };
  },
};
