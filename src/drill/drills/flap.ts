// Owns drill 27: the connection between two bridges breaks again and again, and both open it at the same time.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isServerName, parse, type ServerName } from '../../call/ids.ts';
import { createPeerLinks } from '../../cascade/link-set.ts';
import type { Introducer } from '../../control/ports/introducer.ts';
import { waitFor } from '../../demo/check/wait.ts';
import { silentLogger } from '../../log/logger.ts';
import { systemClock, systemRandom } from '../../util/system.ts';
import type { Drill } from '../drill.ts';
import { rounded } from '../figures.ts';
import { buildGround, type DrillBridge } from '../ground.ts';
import { Browsers } from '../browser.ts';
import { awaitMedia, rosterOf, seatGuest, smallPicture, type Guest } from '../guests.ts';
import { Party } from '../people.ts';

const flaps = 20;
const flapMs = 3000;
/** The longest wait before an attempt is 22.5 s. */
const backMs = 40_000;
const together = 20;

export const drill27: Drill = {
  id: '27',
  sentence: 'The link is broken 20 times in 60 s; and two link ends open to each other at the same moment, n times: one link, one owner, nothing left.',
  usualN: 1000,
  async run({ n, report, basePort, folder }) {
    const wrong = await openTogether(n);
    report.hold(`Opened by both at once, ${n} times: one link each, of the smaller name`, wrong === 0, `${wrong} went wrong`);

    await using ground = await buildGround({ basePort, folder, report, organisations: 2 });
    await using browsers = await Browsers.open();
    const party = await Party.gather(ground, [1, 1]);
    await party.startCall(party.person('a1'));
    const guests: Guest[] = [];
    for (const [index, person] of party.people.entries()) guests.push(await seatGuest(party, browsers, { person, page: person.name, publish: smallPicture(index) }));
    await awaitMedia(guests, { others: 1, tracks: 2 });
    const baseline = pipePorts(basePort);
    const startMs = Date.now();
    for (let flap = 0; flap < flaps; flap += 1) {
      for (const { door } of ground.bridges) door.set('reset');
      await sleep(flapMs / 10);
      for (const { door } of ground.bridges) door.set('open');
      await sleep(flapMs - flapMs / 10);
    }
    report.note(`broken ${flaps} times`, `${((Date.now() - startMs) / 1000).toFixed(0)} s`);
    let most = 0;
    for (const bridge of ground.bridges) {
      const { most: links, ups } = linksInLog(bridge);
      most = Math.max(most, links);
      const retries = bridge.log.since(startMs, ({ message }) => message === 'no link').map(({ keys }) => Number(keys['retryInMs']));
      report.hold(`${bridge.serverName} never has more than one link`, links <= 1, `${ups} links, at most ${links} at once`);
      report.hold(`${bridge.serverName} waits longer each time, never twice the same`, retries.length > 1 && new Set(retries).size === retries.length && Math.max(...retries) > 2 * Math.min(...retries), retries.map((retry) => (retry / 1000).toFixed(2)).join(' '));
      report.figures[`retriesMs.${bridge.place}`] = retries;
    }
    const settledMs = Date.now();
    await awaitMedia(guests, { others: 1, tracks: 2, timeoutMs: backMs }).catch((error: unknown) => {
      report.note('media are not back', error instanceof Error ? error.message : String(error));
    });
    await waitFor('one link', () => Promise.resolve(ground.bridges.some(({ door }) => door.links > 0) ? undefined : 'none'), backMs).catch(() => undefined);
    // The last words of older links are spoken.
    await sleep(3000);
    const connections = ground.bridges.reduce((total, { door }) => total + door.links, 0);
    report.hold('One connection is left', connections === 1, `${connections}, after ${((Date.now() - settledMs) / 1000).toFixed(1)} s`);
    const rosters = await Promise.all(guests.map(async (guest) => rosterOf(guest, await guest.seat.view()).join(' ')));
    report.hold('Rosters are equal, nobody is there twice', new Set(rosters).size === 1 && rosters[0]?.split(' ').length === 2, rosters.join(' | '));
    // A bridge that missed its neighbour for long has spoken for the call meanwhile; now one of the two notices says so.
    const notices = await party.notices(party.person('a1'));
    const speaking = notices.filter(({ body, state }) => state === 'open' && body.includes('http'));
    report.hold('One notice leads into the call', speaking.length === 1, notices.map(({ sender, body }) => `${sender}: ${body.split('\n')[0] ?? ''}`).join(' | '));
    await waitFor('the ports of old pipes', () => Promise.resolve(pipePorts(basePort) === baseline ? undefined : 'open'), 20_000).catch(() => undefined);
    report.hold('Ports of pipes are back to where they were', pipePorts(basePort) === baseline, `${pipePorts(basePort)}, before ${baseline}`);
    report.figures['simultaneous'] = n;
    report.figures['settledMs'] = Math.round(Date.now() - settledMs);
    report.figures['mostConnections'] = Math.max(...ground.bridges.map(({ door }) => door.mostLinks));
    return { value: rounded(Math.max(most, wrong > 0 ? 2 : 0), 0), limit: 1 };
  },
};

/** The most links at once, as the bridge has told its calls. */
function linksInLog(bridge: DrillBridge): { readonly most: number; readonly ups: number } {
  let [links, most, ups] = [0, 0, 0];
  for (const { message } of bridge.log.since(0, (entry) => entry.message === 'neighbour linked' || entry.message === 'neighbour lost')) {
    links += message === 'neighbour linked' ? 1 : -1;
    ups += message === 'neighbour linked' ? 1 : 0;
    most = Math.max(most, links);
  }
  return { most, ups };
}

/** UDP ports of pipes that are open: the bridges', at their real address. */
function pipePorts(basePort: number): number {
  const loopback = '0100007F';
  return readFileSync('/proc/net/udp', 'utf8').split('\n').filter((line) => {
    const [address = '', port = ''] = (line.trim().split(/\s+/)[1] ?? '').split(':');
    const number = Number.parseInt(port, 16) - basePort;
    return address === loopback && number >= 0 && number < 30 && number % 10 >= 7;
  }).length;
}

/** Real link ends and WebSockets, without homeservers: two ends want each other at the same moment. @returns how often not exactly one link stayed */
async function openTogether(times: number): Promise<number> {
  let wrong = 0;
  for (let done = 0; done < times; done += together) {
    const results = await Promise.all(Array.from({ length: Math.min(together, times - done) }, openOnce));
    wrong += results.filter((isRight) => !isRight).length;
  }
  return wrong;
}

async function openOnce(): Promise<boolean> {
  await using stack = new AsyncDisposableStack();
  const [small, large] = ['a.example.org', 'b.example.org'].map((name) => parse(isServerName, name, 'server name'));
  if (small === undefined || large === undefined) throw new Error('unreachable');
  const handlers = new Map<ServerName, Parameters<Introducer['answer']>[1]>();
  const end = async (server: ServerName, peer: ServerName) => {
    const http = createServer();
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    stack.defer(() => {
      http.close();
      http.closeAllConnections();
    });
    const address = http.address();
    if (address === null || typeof address === 'string') throw new Error('unreachable');
    const introducer: Introducer = {
      ask: async (destination, _path, body) => (await handlers.get(destination)?.(server, body)) ?? { status: 404, content: {} },
      answer: (_path, handler) => void handlers.set(server, handler),
    };
    const links = createPeerLinks({ server, neighbours: [peer], publicUrl: `ws://127.0.0.1:${address.port}/cascade`, introducer, clock: systemClock, random: systemRandom, log: silentLogger, privateAddresses: ['127.0.0.0/8'] });
    http.on('upgrade', (request, socket, head) => links.handleUpgrade(request, socket, head));
    const told = { live: 0, most: 0 };
    links.start({
      linkUp: () => {
        told.live += 1;
        told.most = Math.max(told.most, told.live);
      },
      linkDown: () => {
        told.live -= 1;
      },
      received: () => undefined,
      notFound: () => undefined,
    });
    stack.defer(() => links.close());
    return { links, told, http };
  };
  const ends = [await end(small, large), await end(large, small)] as const;
  ends[0].links.want(new Set([large]));
  ends[1].links.want(new Set([small]));
  // One link from each side, or one alone if it was quick: in the end there is one.
  const deadline = performance.now() + 10_000;
  while (performance.now() < deadline) {
    await sleep(20);
    const counts = await Promise.all(ends.map(({ http }) => connectionsOf(http)));
    if (ends.every(({ told }) => told.live === 1) && counts.reduce((total, count) => total + count, 0) === 1) return ends.every(({ told }) => told.most === 1);
  }
  return false;
}

async function connectionsOf(http: ReturnType<typeof createServer>): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  http.getConnections((error, count) => {
    resolve(error === null ? count : -1);
  });
  return promise;
}
