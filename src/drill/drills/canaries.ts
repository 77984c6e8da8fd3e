// Owns drill 44: everything that crosses between two bridges, decrypted, is searched for what would tell where people are and with what.
import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Browsers } from '../browser.ts';
import type { Drill } from '../drill.ts';
import { buildGround, type Ground } from '../ground.ts';
import { awaitMedia, seatGuest, smallPicture, type Guest } from '../guests.ts';
import { Party, userAgent } from '../people.ts';
import { WebSocketReader } from '../proxy/web-socket-frames.ts';
import { SrtpReader } from '../srtp.ts';

const frameSchema = z.object({ type: z.string() });
const helloSchema = z.object({ type: z.literal('hello'), serverName: z.string() });
const mediaSchema = z.object({ type: z.literal('media'), port: z.number(), srtp: z.object({ key: z.string() }) });
/** A canary shorter than that would be found by chance in media. */
const shortest = 7;

interface Packet {
  readonly from: number;
  readonly to: number;
  readonly bytes: Buffer;
}

/** What crossed, as bytes. */
class Recording {
  readonly frames: { readonly from: number; readonly text: string }[] = [];
  readonly packets: Packet[] = [];

  constructor(ground: Ground) {
    for (const bridge of ground.bridges) {
      const readers = new Map<string, WebSocketReader>();
      bridge.door.tap((connection, direction, bytes) => {
        const key = `${connection} ${direction}`;
        const reader = readers.get(key) ?? new WebSocketReader();
        readers.set(key, reader);
        const other = bridge.place === 0 ? 1 : 0;
        for (const text of reader.read(bytes)) this.frames.push({ from: direction === 'toBridge' ? other : bridge.place, text });
      });
    }
    ground.border.watch((from, to, packet) => this.packets.push({ from, to, bytes: Buffer.from(packet) }));
  }
}

export const drill44: Drill = {
  id: '44',
  sentence: 'Every byte between two bridges, decrypted, is searched for addresses, user agents, devices and candidates of people. n seconds of a call.',
  usualN: 15,
  async run({ n, report, basePort, folder }) {
    await using ground = await buildGround({ basePort, folder, report, organisations: 2 });
    await using browsers = await Browsers.open();
    const recording = new Recording(ground);
    const party = await Party.gather(ground, [2, 2]);
    await party.startCall(party.person('a1'));
    const guests: Guest[] = [];
    for (const [index, person] of party.people.entries()) guests.push(await seatGuest(party, browsers, { person, page: `organisation ${person.place}`, ...(index % 2 === 0 && { publish: smallPicture(index) }) }));
    await awaitMedia(guests.filter((_, index) => index % 2 === 1), { others: 3, tracks: 0 });
    await guests[0]?.seat.setMetadata('said by a person');
    await sleep(n * 1000);
    const canaries = await canariesOf(guests);
    // People leave too.
    for (const { seat } of guests) await seat.disconnect();
    await sleep(2000);

    const frames = recording.frames.filter(({ text }) => text.startsWith('{'));
    const types = new Set(frames.flatMap(({ text }) => frameSchema.safeParse(JSON.parse(text)).data?.type ?? []));
    report.hold('The link was recorded from its first frame', frames.filter(({ text }) => helloSchema.safeParse(JSON.parse(text)).success).length >= 2 && types.has('people') && types.has('offer'), `${recording.frames.length} texts, ${[...types].toSorted().join(' ')}`);

    const readers = keysOf(frames);
    let opened = 0;
    const texts: Buffer[] = recording.frames.map(({ text }) => Buffer.from(text));
    const heads: Buffer[] = [];
    let rtcp = 0;
    for (const { from, bytes } of recording.packets) {
      const plain = readers.get(from)?.map((reader) => reader.open(bytes)).find((found) => found !== undefined);
      if (plain === undefined) continue;
      opened += 1;
      texts.push(plain.payload, plain.head);
      heads.push(plain.head);
      if (plain.isRtcp) {
        heads.push(plain.payload);
        rtcp += 1;
      }
    }
    report.hold('Every packet of the media could be decrypted', opened === recording.packets.length && opened > 100 && rtcp > 0, `${opened} of ${recording.packets.length}, ${rtcp} of them RTCP`);

    // Tickets hold their text in base64.
    for (const { text } of frames) for (const [, part = ''] of text.matchAll(/[".]([A-Za-z0-9_-]{16,})(?=[".])/g)) texts.push(Buffer.from(part, 'base64url'));
    const all = Buffer.concat(texts.flatMap((text) => [text, Buffer.from('\n')]));
    const control = Buffer.concat(heads);
    const lower = Buffer.from(all.toString('latin1').toLowerCase(), 'latin1');
    let hits = 0;
    for (const [kind, values] of canaries) {
      const found = values.filter((value) => lower.includes(Buffer.from(value.toLowerCase(), 'latin1')) || (kind === 'addresses' && control.includes(binary(value))));
      hits += found.length;
      report.hold(`No ${kind}`, found.length === 0 && values.length > 0, found.length === 0 ? `${values.length} looked for in ${all.length} bytes` : `found: ${found.slice(0, 4).join(', ')}${inFrames(frames, found)}`);
    }
    // The search must be able to find: what may cross is there.
    const names = guests.map(({ person }) => person.userId);
    report.hold('The search finds what does cross', names.every((name) => all.includes(name)), `${names.length} user ids`);
    report.figures['bytes'] = all.length;
    report.figures['packets'] = recording.packets.length;
    return { value: hits, limit: 0 };
  },
};

/** Which types of frames hold one of these in clear. */
function inFrames(frames: Recording['frames'], values: readonly string[]): string {
  const types = new Set(frames.flatMap(({ text }) => (values.some((value) => text.includes(value)) ? (frameSchema.safeParse(JSON.parse(text)).data?.type ?? []) : [])));
  return types.size === 0 ? '' : `, in ${[...types].join(', ')}`;
}

/** For each side, the readers of what it sends. */
function keysOf(frames: Recording['frames']): ReadonlyMap<number, readonly SrtpReader[]> {
  const readers = new Map<number, SrtpReader[]>();
  for (const { from, text } of frames) {
    const media = mediaSchema.safeParse(JSON.parse(text)).data;
    if (media !== undefined) readers.set(from, [...(readers.get(from) ?? []), new SrtpReader(media.srtp.key)]);
  }
  return readers;
}

async function canariesOf(guests: readonly Guest[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const wires = await Promise.all(guests.map(({ seat }) => seat.wires()));
  const long = (values: readonly string[]): readonly string[] => [...new Set(values)].filter((value) => value.length >= shortest);
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []).filter(({ internal }) => !internal).map(({ address }) => address);
  // Where the bridges themselves are does cross, and on this machine people are at the same address.
  const isBridge = (value: string): boolean => value.startsWith('127.');
  const candidates = wires.flatMap(({ locals }) => locals);
  return new Map([
    ['addresses', long([...guests.map(({ person }) => person.address), ...own, ...candidates.filter((value) => !value.includes(' '))].filter((value) => !isBridge(value)))],
    ['user agents', long([...wires.map((wire) => wire.userAgent), userAgent, 'CanaryAgent', 'HeadlessChrome', 'livekit-client'])],
    ['device ids', long(guests.map(({ person }) => person.deviceId))],
    ['ICE candidates', long([...candidates.filter((value) => value.includes(' ')), 'candidate:', 'typ host', 'ice-ufrag', 'ice-pwd'])],
    ['ICE and DTLS secrets', long(wires.flatMap(({ secrets }) => secrets))],
  ]);
}

/** An IPv4 address as four bytes. */
function binary(address: string): Buffer {
  const bytes = address.split('.').map(Number);
  return bytes.length === 4 ? Buffer.from(bytes) : Buffer.from(address);
}
