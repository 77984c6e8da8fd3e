// Owns drill 30: the neighbour's bridge hangs for half a minute, and ours must not feel it.
import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Browsers } from '../browser.ts';
import { goAhead } from '../cpu.ts';
import type { Drill } from '../drill.ts';
import { rounded } from '../figures.ts';
import { buildGround, type DrillBridge } from '../ground.ts';
import { awaitMedia, seatGuest, smallPicture } from '../guests.ts';
import { loopDelayMs, metric } from '../loop-delay.ts';
import { Party, type Person } from '../people.ts';

const hangMs = 30_000;
const mostDelayMs = 50;
const mostQueueBytes = 8 * 1024 * 1024;
const mostJoinMs = 1500;
const lostMs = 7000;
const run = promisify(execFile);
const metadataBytes = 50_000;
const talkEveryMs = 100;
const windowMs = 5000;

export const drill30: Drill = {
  id: '30',
  sentence: 'The neighbour\'s whole bridge hangs (SIGSTOP) for 30 s while people here talk and n newcomers join.',
  usualN: 6,
  async run({ n, report, basePort, folder }) {
    await using ground = await buildGround({ basePort, folder, report, organisations: 2 });
    await using browsers = await Browsers.open();
    const party = await Party.gather(ground, [2 + n, 1 + n]);
    await party.startCall(party.person('a1'));
    const [ours, theirs] = [ground.bridge(0), ground.bridge(1)];
    const talker = await seatGuest(party, browsers, { person: party.person('a1'), page: 'a', publish: smallPicture(1) });
    const guests = [talker, await seatGuest(party, browsers, { person: party.person('b1'), page: 'b', publish: smallPicture(2) })];
    await awaitMedia(guests, { others: 1, tracks: 2 });
    // What else this machine does is not what is looked at.
    report.figures['ahead'] = ours.pids.every((pid) => goAhead(pid));
    // As much as people can make a bridge say to its neighbour.
    let isOver = false;
    const talk = (async () => {
      for (let step = 0; !isOver; step += 1) {
        await talker.seat.setMetadata(`${step} ${'x'.repeat(metadataBytes)}`).catch(() => undefined);
        await sleep(talkEveryMs);
      }
    })();
    await loopDelayMs(ours);
    const before = [await delayOf(ours), await delayOf(ours)];
    report.note('event loop with as much talk, before', `p99 ${Math.max(...before).toFixed(1)} ms`);

    const startMs = Date.now();
    theirs.signal('SIGSTOP');
    const delays: number[] = [];
    const queues: number[] = [];
    const joins: { readonly who: string; readonly tookMs: number }[] = [];
    const until = performance.now() + hangMs;
    const look = (async () => {
      while (performance.now() < until) {
        delays.push(await delayOf(ours));
        queues.push(Math.max(await metric(ours, 'viaduc_neighbour_queued_bytes'), await socketQueue(basePort)));
      }
    })();
    const join = async (person: Person): Promise<void> => {
      const seat = await browsers.seat('newcomers');
      const ticket = await party.ticket(person);
      const connectMs = await seat.connect(ticket, { show: false });
      joins.push({ who: person.name, tookMs: ticket.tookMs + connectMs });
    };
    for (let index = 0; index < n; index += 1) {
      await join(party.person(`a${3 + index}`));
      await join(party.person(`b${2 + index}`));
      await sleep(Math.max(0, hangMs / n - 4000));
    }
    await look;
    isOver = true;
    await talk;
    const upWhileHung = await metric(ours, 'viaduc_neighbour_up');
    theirs.signal('SIGCONT');

    const [delay, queue] = [Math.max(...delays), Math.max(...queues)];
    report.hold('Our event loop is not held up (p99 of each 5 s)', delay <= mostDelayMs, `at most ${delay.toFixed(1)} ms`);
    report.hold('What waits to be sent is bounded', queue <= mostQueueBytes, `at most ${queue} bytes`);
    for (const [what, letter] of [['Newcomers of ours', 'a'], ['Newcomers of the neighbour, at our door', 'b']] as const) {
      const times = joins.filter(({ who }) => who.startsWith(letter)).map(({ tookMs }) => tookMs);
      report.hold(`${what} join within 1.5 s`, times.length === n && Math.max(...times) <= mostJoinMs, times.map((time) => `${(time / 1000).toFixed(2)} s`).join(', '));
      report.figures[`joinMs.${letter}`] = times.map((time) => Math.round(time));
    }
    const lost = ours.log.since(startMs, ({ message }) => message === 'neighbour lost')[0];
    report.hold('The neighbour is shown as unreachable', lost !== undefined && lost.timestamp - startMs <= lostMs && upWhileHung === 0, lost === undefined ? 'never' : `after ${((lost.timestamp - startMs) / 1000).toFixed(1)} s; up in metrics: ${upWhileHung}`);
    const left = (await talker.seat.people()).find(({ what, atMs, identity }) => what === 'left' && atMs >= startMs && identity.includes('@b1'));
    report.hold('Its people leave after the grace period', left !== undefined, left === undefined ? 'they do not' : `after ${((left.atMs - startMs) / 1000).toFixed(1)} s`);
    report.hold('People here stay connected', (await talker.seat.people()).every(({ what }) => !['reconnecting', 'signalReconnecting', 'disconnected'].includes(what)), 'no reconnection');
    report.figures['queueBytes'] = queue;
    report.figures['eventLoopP99Ms'] = { before: before.map((each) => rounded(each, 1)), hanging: delays.map((each) => rounded(each, 1)) };
    return { value: rounded(delay, 1), limit: mostDelayMs };
  },
};

/** That of the next five seconds. */
async function delayOf(bridge: DrillBridge): Promise<number> {
  await sleep(windowMs);
  return loopDelayMs(bridge);
}

/** What the kernel holds of our link's connections, in bytes: the proxies stand in between, on ports of the drill. */
async function socketQueue(basePort: number): Promise<number> {
  const { stdout } = await run('ss', ['-Htn', 'state', 'established']);
  const lines = stdout.split('\n').map((line) => line.trim().split(/\s+/));
  return Math.max(0, ...lines.filter((fields) => [fields[2], fields[3]].some((address) => isOurs(address, basePort))).map((fields) => Number(fields[1])));
}

function isOurs(address: string | undefined, basePort: number): boolean {
  const port = Number(address?.split(':').at(-1));
  return port >= basePort && port < basePort + 60;
}
