// Owns the drills about what the cascade costs: bytes on the border, processor time, and the delay of the second hop.
import { setTimeout as sleep } from 'node:timers/promises';
import { Browsers } from '../browser.ts';
import { cpuMs } from '../cpu.ts';
import type { Drill, DrillContext } from '../drill.ts';
import { median, percentile, rounded, sum } from '../figures.ts';
import { buildGround, type DrillBridge, type Ground } from '../ground.ts';
import { awaitMedia, packetsOf, seatGuest, type Guest } from '../guests.ts';
import { Party } from '../people.ts';
import type { Report } from '../report.ts';

const smallAudiences = [1, 5];
const accounts = 4;
const settleMs = 4000;
const windowMs = 10_000;
const mostDifference = 0.02;
/** Withdrawn 10 s after the last viewer (docs/protocol/cascade.md §2.6), and then within 3 s. */
const withdrawnMs = 13_000;
const speakerPublishes = { video: { width: 320, height: 180, framesPerSecond: 12, maxBitrate: 150_000 }, frequency: 330 };
const speakerTracks = 2;

interface Scene extends AsyncDisposable {
  readonly ground: Ground;
  readonly party: Party;
  readonly browsers: Browsers;
  readonly speaker: Guest;
}

/** One speaker of the first organisation. */
async function openScene({ basePort, folder, report }: DrillContext, options: { readonly timed: boolean }): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const ground = stack.use(await buildGround({ basePort, folder, report, organisations: 2 }));
  const browsers = stack.use(await Browsers.open({ timed: options.timed }));
  const party = await Party.gather(ground, [accounts + 1, accounts]);
  await party.startCall(party.person('a1'));
  const speaker = await seatGuest(party, browsers, { person: party.person('a1'), page: 'timed', publish: speakerPublishes });
  const kept = stack.move();
  return { ground, party, browsers, speaker, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** More viewers of one organisation, until there are that many. Several are one person's devices. */
async function growAudience({ party, browsers }: Scene, viewers: Guest[], size: number, place: number): Promise<void> {
  const people = party.of(place).slice(place === 0 ? 1 : 0);
  while (viewers.length < size) {
    const person = people[viewers.length % people.length];
    if (person === undefined) throw new Error('nobody is there to watch');
    viewers.push(await seatGuest(party, browsers, { person, device: `${person.deviceId}${viewers.length}`, page: `viewers of ${place}` }));
  }
}

interface BorderSample {
  readonly viewers: number;
  readonly bytesPerSecond: number;
  /** Bytes over the border for each byte that the speaker sent. */
  readonly perSentByte: number;
}

async function sampleBorder({ ground, speaker }: Scene, viewers: number): Promise<BorderSample> {
  const read = async (): Promise<{ readonly atMs: number; readonly bytes: number; readonly sent: number }> => {
    const { bytes: sent } = await speaker.seat.sent();
    return { atMs: performance.now(), bytes: ground.border.crossed(0, 1).bytes, sent };
  };
  const before = await read();
  await sleep(windowMs);
  const after = await read();
  const bytes = after.bytes - before.bytes;
  return { viewers, bytesPerSecond: Math.round(bytes / ((after.atMs - before.atMs) / 1000)), perSentByte: bytes / (after.sent - before.sent) };
}

/** The audiences one after the other. Post: the largest is there. @returns the largest difference, as a share */
async function measureBorder(scene: Scene, viewers: Guest[], largest: number, report: Report): Promise<number> {
  const audiences = [...smallAudiences.filter((audience) => audience < largest), largest];
  const samples: BorderSample[] = [];
  for (const audience of audiences) {
    await growAudience(scene, viewers, audience, 1);
    await awaitMedia(viewers, { others: audience, tracks: 0, timeoutMs: 60_000 });
    await awaitSpeaker(scene, viewers);
    await sleep(settleMs);
    const sample = await sampleBorder(scene, audience);
    samples.push(sample);
    report.note(`${audience} beyond the border`, `${sample.bytesPerSecond} bytes/s cross, ${sample.perSentByte.toFixed(4)} for each byte that the speaker sends`);
  }
  const spread = (values: readonly number[]): number => Math.max(...values) / Math.min(...values) - 1;
  const difference = spread(samples.map(({ perSentByte }) => perSentByte));
  report.figures['bytesPerSecond'] = Object.fromEntries(samples.map((sample) => [String(sample.viewers), sample.bytesPerSecond]));
  report.figures['perSentByte'] = Object.fromEntries(samples.map((sample) => [String(sample.viewers), rounded(sample.perSentByte, 4)]));
  report.figures['rawDifference'] = rounded(spread(samples.map(({ bytesPerSecond }) => bytesPerSecond)), 4);
  report.hold(`Bytes on the border do not grow with the audience (${audiences.join(', ')})`, difference <= mostDifference, `${(difference * 100).toFixed(2)} % between the largest and the smallest, for each byte sent`);
  return rounded(difference, 4);
}

async function awaitSpeaker({ speaker }: Scene, viewers: readonly Guest[]): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const views = await Promise.all(viewers.map(({ seat }) => seat.view()));
    const missing = views.filter(({ remote }) => remote.flatMap(({ tracks }) => tracks).filter(({ packets }) => packets > 20).length < speakerTracks).length;
    if (missing === 0) return;
    if (performance.now() > deadline) throw new Error(`${missing} of ${viewers.length} viewers do not receive ${speaker.person.name}`);
    await sleep(300);
  }
}

export const drill29: Drill = {
  id: '29',
  sentence: 'One speaker watched by 1, 5 and n people beyond the border: one copy crosses; nothing does when the last one has left.',
  usualN: 20,
  async run(context) {
    const { report } = context;
    await using scene = await openScene(context, { timed: false });
    const viewers: Guest[] = [];
    const difference = await measureBorder(scene, viewers, context.n, report);
    await Promise.all(viewers.map(({ seat }) => seat.disconnect()));
    const leftMs = performance.now();
    let last = scene.ground.border.crossed(0, 1).bytes;
    let lastAtMs = leftMs;
    // What remains are reports of a few bytes: a picture is thousands in half a second.
    while (performance.now() - leftMs < withdrawnMs + 5000) {
      await sleep(500);
      const { bytes } = scene.ground.border.crossed(0, 1);
      if (bytes - last > 1000) lastAtMs = performance.now();
      last = bytes;
    }
    const quietAfterMs = lastAtMs - leftMs;
    report.hold('Nothing is sent any more after the last viewer has left', quietAfterMs <= withdrawnMs, `quiet after ${(quietAfterMs / 1000).toFixed(1)} s; 10 s are kept on purpose`);
    report.figures['quietAfterMs'] = Math.round(quietAfterMs);
    return { value: difference, limit: mostDifference };
  },
};

interface Work {
  readonly cpuMs: number;
  readonly packets: number;
}

async function measureWork(bridges: readonly DrillBridge[], viewers: readonly Guest[]): Promise<Work> {
  const packets = async (): Promise<number> => sum((await Promise.all(viewers.map(({ seat }) => seat.view()))).map(packetsOf));
  const pids = bridges.flatMap((bridge) => bridge.pids);
  const before = { cpu: cpuMs(pids), packets: await packets() };
  await sleep(windowMs);
  return { cpuMs: cpuMs(pids) - before.cpu, packets: (await packets()) - before.packets };
}

/** Most that two bridges may use for each delivered packet, compared with one: the second hop handles one more copy, not twenty. */
const mostCpuRatio = 2;

export const cascadeCost: Drill = {
  id: 'cascade-cost',
  sentence: 'Bytes on the border for 1, 5 and n viewers; processor time for each delivered packet with two bridges against one; the delay of the second hop.',
  usualN: 20,
  async run(context) {
    const { report } = context;
    await using scene = await openScene(context, { timed: true });
    const { ground, party, browsers, speaker } = scene;
    const far: Guest[] = [];
    const difference = await measureBorder(scene, far, context.n, report);
    const two = await measureWork(ground.bridges, far);
    await Promise.all(far.map(({ seat }) => seat.disconnect()));

    const near: Guest[] = [];
    await growAudience(scene, near, context.n, 0);
    await awaitSpeaker(scene, near);
    await sleep(settleMs);
    const one = await measureWork([ground.bridge(0)], near);
    await Promise.all(near.map(({ seat }) => seat.disconnect()));
    const perPacket = ({ cpuMs: cpu, packets }: Work): number => (cpu * 1000) / packets;
    const ratio = perPacket(two) / perPacket(one);
    report.figures['cpuMicrosecondsPerPacket'] = { twoBridges: rounded(perPacket(two), 1), oneBridge: rounded(perPacket(one), 1) };
    report.figures['cpuRatio'] = rounded(ratio);
    report.figures['packets'] = { twoBridges: two.packets, oneBridge: one.packets };
    report.hold('Processor time for a delivered packet, two bridges against one', ratio <= mostCpuRatio, `${perPacket(two).toFixed(1)} µs against ${perPacket(one).toFixed(1)} µs: ${ratio.toFixed(2)} times`);

    // The same sound, found again by its bytes, at the speaker's, behind one bridge and behind two; all in one browser, with one clock.
    const beside = await seatGuest(party, browsers, { person: party.person('a2'), device: `${party.person('a2').deviceId}T`, page: 'timed' });
    const beyond = await seatGuest(party, browsers, { person: party.person('b1'), device: `${party.person('b1').deviceId}T`, page: 'timed' });
    await awaitSpeaker(scene, [beside, beyond]);
    await sleep(windowMs + settleMs);
    const [sent, first, second] = await Promise.all([timesOf(speaker, 'send'), timesOf(beside, 'receive'), timesOf(beyond, 'receive')]);
    const pairs = [...second].flatMap(([digest, atMs]) => {
      const [from, near1] = [sent.get(digest), first.get(digest)];
      return from === undefined || near1 === undefined ? [] : [{ one: near1 - from, two: atMs - from, added: atMs - near1 }];
    });
    const [oneMs, twoMs, addedMs] = [pairs.map((pair) => pair.one), pairs.map((pair) => pair.two), pairs.map((pair) => pair.added)];
    report.figures['framesTimed'] = { sent: sent.size, one: first.size, two: second.size };
    report.figures['delayMs'] = { frames: pairs.length, oneHopMedian: rounded(median(oneMs)), twoHopsMedian: rounded(median(twoMs)), addedMedian: rounded(median(addedMs)), oneHopP99: rounded(percentile(oneMs, 0.99)), twoHopsP99: rounded(percentile(twoMs, 0.99)), addedP99: rounded(percentile(addedMs, 0.99)) };
    report.figures['delayRatio'] = { median: rounded(median(twoMs) / median(oneMs)), p99: rounded(percentile(twoMs, 0.99) / percentile(oneMs, 0.99)) };
    report.hold('The delay of the second hop was measured (sound, frame by frame)', pairs.length >= 200, `${pairs.length} frames: one hop ${median(oneMs).toFixed(2)} ms, two ${median(twoMs).toFixed(2)} ms, added ${median(addedMs).toFixed(2)} ms (p99 ${percentile(addedMs, 0.99).toFixed(2)} ms)`);
    return { value: difference, limit: mostDifference };
  },
};

async function timesOf({ seat }: Guest, side: 'send' | 'receive'): Promise<ReadonlyMap<string, number>> {
  return new Map((await seat.arrivals()).filter((each) => each.side === side).map(({ digest, atMs }) => [digest, atMs]));
}
