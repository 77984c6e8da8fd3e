// Owns the drill about signals: how long what somebody does takes to be heard of at one bridge, and at the next.
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../../demo/check/wait.ts';
import { Browsers, type Seat, type Signal } from '../browser.ts';
import type { Drill } from '../drill.ts';
import { median, percentile, rounded } from '../figures.ts';
import { buildGround } from '../ground.ts';
import { awaitMedia, seatGuest, type Guest } from '../guests.ts';
import { Party, type Person } from '../people.ts';

const limitMs = 300;
const heardMs = 10_000;
/** Nothing may beat time with what the bridges do at intervals. */
const pauseMs = { least: 100, most: 500 };

interface Case {
  readonly what: string;
  /** @returns when it began, milliseconds since 1970 */
  readonly act: (round: number) => Promise<number>;
  readonly heard: (signal: Signal, round: number) => boolean;
  readonly undo?: (round: number) => Promise<unknown>;
  readonly undone?: (signal: Signal) => boolean;
  /** The bridge itself needs a while to hear that somebody speaks: what counts is how much later it is heard beyond the border. */
  readonly isDetected?: boolean;
}

export const cascadeSignals: Drill = {
  id: 'cascade-signals',
  sentence: 'Leaving, mutes, screens, speakers, names, hands and roles, n times each: how long until a livekit-client hears of it at the same bridge, and at another.',
  usualN: 20,
  async run({ basePort, folder, n, report }) {
    await using ground = await buildGround({ basePort, folder, report, organisations: 2, settings: { 'calls.noticeIntervalMs': 5000 } });
    await using browsers = await Browsers.open();
    const party = await Party.gather(ground, [3, 1]);
    const [owner, actor, near, far] = ['a1', 'a2', 'a3', 'b1'].map((name) => party.person(name));
    if (owner === undefined || actor === undefined || near === undefined || far === undefined) throw new Error('unreachable');
    await party.startCall(owner);
    const acting = await seatGuest(party, browsers, { person: actor, page: 'actor', publish: { frequency: 440 } });
    const viewers = [await seatGuest(party, browsers, { person: near, page: 'near' }), await seatGuest(party, browsers, { person: far, page: 'far' })] as const;
    // One of the two others sends one track.
    await awaitMedia([viewers[1]], { others: 2, tracks: 1 / 2 });
    await acting.seat.act('fallSilent');
    await sleep(3000);

    const { seat } = acting;
    const cases: readonly Case[] = [
      { what: 'mute', act: () => seat.act('mute'), heard: ({ what, value }) => what === 'muted' && value === 'microphone', undo: () => seat.act('unmute'), undone: ({ what }) => what === 'unmuted' },
      { what: 'screen published', act: () => seat.act('shareScreen'), heard: ({ what, value }) => what === 'published' && value === 'screen_share', undo: () => seat.act('unshareScreen'), undone: ({ what }) => what === 'unpublished' },
      { what: 'speaker', isDetected: true, act: () => seat.act('speak'), heard: ({ what }) => what === 'speaks', undo: () => seat.act('fallSilent'), undone: ({ what }) => what === 'is silent' },
      { what: 'name', act: (round) => seat.act('name', `Name ${round}`), heard: ({ what, value }, round) => what === 'name' && value === `Name ${round}` },
      { what: 'hand', act: (round) => seat.act('raiseHand', String(round)), heard: ({ what, value }, round) => what === 'hand' && value === String(round) },
      { what: 'role', act: (round) => changeRole(party, owner, actor, round), heard: ({ what, value }, round) => what === 'role' && value === roleIn(round) },
    ];
    const medians: number[] = [];
    for (const each of cases) medians.push(await measure(each, actor));
    // At last: somebody who leaves is measured no more.
    const leaving: Case = { what: 'leaving', act: () => seat.act('leave'), heard: ({ what }) => what === 'left', undo: async () => seat.connect(await party.homeTicket(actor), { show: false }), undone: ({ what }) => what === 'came' };
    medians.push(await measure(leaving, actor));
    return { value: Math.max(...medians), limit: limitMs };

    /** @returns what is held against the limit, in milliseconds */
    async function measure(each: Case, { userId }: Person): Promise<number> {
      const { what, act, heard, undo, undone, isDetected = false } = each;
      const delays: { readonly near: number; readonly far: number }[] = [];
      for (let round = 1; round <= n; round += 1) {
        await sleep(pauseMs.least + Math.random() * (pauseMs.most - pauseMs.least));
        const before = await Promise.all(viewers.map(({ seat: viewer }) => countOf(viewer)));
        const of = ({ identity }: Signal): boolean => identity.startsWith(`${userId}:`);
        const acted = act(round);
        const [nearMs, farMs] = await Promise.all(viewers.map((viewer, index) => hears(viewer, before[index] ?? 0, (signal) => of(signal) && heard(signal, round), what)));
        const actedMs = await acted;
        delays.push({ near: (nearMs ?? Number.NaN) - actedMs, far: (farMs ?? Number.NaN) - actedMs });
        if (undo === undefined || undone === undefined) continue;
        await undo(round);
        await Promise.all(viewers.map((viewer, index) => hears(viewer, before[index] ?? 0, (signal) => of(signal) && undone(signal), `${what}, undone`)));
      }
      const [same, other] = [delays.map((delay) => delay.near), delays.map((delay) => delay.far)];
      const crossing = delays.map((delay) => delay.far - delay.near);
      const value = rounded(median(isDetected ? crossing : other), 0);
      report.hold(`${what}: ${isDetected ? 'from one bridge to the other' : 'at the other bridge'}, median`, value <= limitMs, `${value} ms; same bridge ${figures(same)}, other bridge ${figures(other)}, crossing ${figures(crossing)} ms (median, p95)`);
      report.figures[`ms.${what}`] = { same: rounded(median(same), 0), other: rounded(median(other), 0), otherP95: rounded(percentile(other, 0.95), 0), crossing: rounded(median(crossing), 0) };
      return value;
    }
  },
};

async function countOf(viewer: Seat): Promise<number> {
  return (await viewer.signals()).length;
}

/** @returns when it was heard, milliseconds since 1970 */
async function hears({ seat, person }: Guest, from: number, is: (signal: Signal) => boolean, what: string): Promise<number> {
  let found: Signal | undefined;
  await waitFor(`${what} at ${person.name}`, async () => {
    found = (await seat.signals()).slice(from).find(is);
    return found === undefined ? 'not heard' : undefined;
  }, heardMs);
  return found?.atMs ?? Number.NaN;
}

function roleIn(round: number): string {
  return round % 2 === 1 ? 'moderator' : 'participant';
}

/** By the room's power levels, as everywhere in Matrix. */
async function changeRole(party: Party, owner: Person, actor: Person, round: number): Promise<number> {
  const atMs = Date.now();
  await party.setPower(owner, actor, roleIn(round) === 'moderator' ? 50 : 0);
  return atMs;
}

function figures(samples: readonly number[]): string {
  return `${rounded(median(samples), 0)}, ${rounded(percentile(samples, 0.95), 0)}`;
}
