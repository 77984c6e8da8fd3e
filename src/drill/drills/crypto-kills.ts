// Owns the drill about kills: a bridge that dies again and again among encrypted messages loses no answer and no key.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { botLocalpart, serverNameOf, writeBridgeFiles } from '../../demo/bridge-config.ts';
import { ensureCertificates } from '../../demo/homeservers/certificate-authority.ts';
import { clientApi, logIn, type ClientApi } from '../../demo/homeservers/client-api.ts';
import { Homeserver } from '../../demo/homeservers/homeserver.ts';
import { resolveLocalhostNames } from '../../demo/homeservers/localhost-names.ts';
import { startNursery } from '../../demo/homeservers/nursery.ts';
import { hostOf, organisationPorts, organisations } from '../../demo/organisations.ts';
import { toolPath } from '../../demo/tools.ts';
import { DeadlyProxy } from '../crypto/deadly-proxy.ts';
import { JsMember } from '../crypto/js-member.ts';
import { placeOf } from '../crypto/megolm.ts';
import { findRead, type EncryptedMember } from '../crypto/member.ts';
import { MortalBridge } from '../crypto/mortal-bridge.ts';
import { NioMember } from '../crypto/nio-member.ts';
import type { Drill, DrillContext } from '../drill.ts';

/** New keys are shared all the time, so that kills meet it. */
const messagesPerSession = 6;
const oddsPerPoint = 0.03;
const lifeMs = { shortest: 600, longest: 4_000 };
const earlyDeaths = 0.15;
const unanswered = 4;
const answerMs = 120_000;
const proxyOffset = 60;

const roomEvent = z.object({ type: z.string(), event_id: z.string(), sender: z.string(), content: z.record(z.string(), z.unknown()) });
const page = z.object({ chunk: z.array(roomEvent), end: z.string().optional() });
const answered = z.object({ 'm.relates_to': z.object({ 'm.in_reply_to': z.object({ event_id: z.string() }) }) });
const section = z.record(z.string(), z.unknown());

export const cryptoKills: Drill = {
  id: 'crypto-kills',
  sentence: 'In an encrypted room the bridge is killed n times at random points: no answer and no key is lost, no place in a session is used twice.',
  usualN: 100,
  run: runCryptoKills,
};

export async function runCryptoKills({ n, basePort, folder, report }: Pick<DrillContext, 'n' | 'basePort' | 'folder' | 'report'>): Promise<{ readonly value: number; readonly limit: number }> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  resolveLocalhostNames();
  const [organisation] = organisations;
  const ports = organisationPorts(basePort, 0);
  await using stack = new AsyncDisposableStack();
  const certificates = await ensureCertificates(join(folder, 'ca'), [hostOf(organisation)]);
  const files = await writeBridgeFiles({ basePort, organisations: [organisation], bridges: 1, index: 0, folder: join(folder, 'bridge'), language: 'en', frameAncestors: [] });
  const config = section.parse(parse(readFileSync(files.configFile, 'utf8')));
  config['homeserver'] = { ...section.parse(config['homeserver']), url: `http://127.0.0.1:${basePort + proxyOffset}` };
  config['media'] = { ...section.parse(config['media']), workers: 1 };
  writeFileSync(files.configFile, stringify(config), { mode: 0o600 });
  const nursery = stack.use(await startNursery(toolPath('VIADUC_SYNAPSE')));
  const homeserver = stack.use(new Homeserver({ nursery, certificates, folder: join(folder, organisation.id), host: hostOf(organisation), port: ports.federation, registrations: [files.registration] }));
  await homeserver.start();

  const points = new Map<string, number>();
  const fate = { isDangerous: true, kills: 0 };
  const bridge = new MortalBridge(files.configFile, join(folder, 'bridge.log'));
  /** Its life counts from its first request on, sometimes from its birth: then it dies while it starts. */
  let timer: NodeJS.Timeout | undefined;
  const doom = (): void => {
    timer ??= setTimeout(() => {
      if (fate.isDangerous && bridge.kill()) points.set('from outside', (points.get('from outside') ?? 0) + 1);
    }, lifeMs.shortest + Math.random() * (lifeMs.longest - lifeMs.shortest));
  };
  const strike = (point: string): boolean => {
    doom();
    if (!fate.isDangerous || Math.random() >= oddsPerPoint || !bridge.kill()) return false;
    points.set(point, (points.get(point) ?? 0) + 1);
    return true;
  };
  stack.use(await DeadlyProxy.open({ port: basePort + proxyOffset, targetPort: ports.client, strike }));
  const strangeEnds: string[] = [];
  const dying = (async () => {
    while (fate.kills < n) {
      if (Math.random() < earlyDeaths) doom();
      const end = await bridge.live();
      clearTimeout(timer);
      timer = undefined;
      fate.kills += 1;
      if (end !== 'SIGKILL') strangeEnds.push(end);
    }
    fate.isDangerous = false;
    await bridge.live();
  })();
  stack.defer(async () => {
    fate.isDangerous = false;
    fate.kills = Number.POSITIVE_INFINITY;
    await bridge.stop();
    await dying;
  });

  const bot = `@${botLocalpart}:${serverNameOf(organisation, 0, basePort)}`;
  const account = async (name: string) => {
    await homeserver.register(name, `password of ${name}`);
    return { url: homeserver.url, userId: `@${name}:${homeserver.serverName}`, password: `password of ${name}` };
  };
  const ownerAccount = await account('owner');
  const session = await logIn(homeserver.api, 'owner', ownerAccount.password, 'OWNER');
  const owner = clientApi(homeserver.url, session.accessToken);
  // Not strict: that would shut out the bot in the moment between a new device and its signature, as it should.
  const alice = stack.use(await JsMember.start({ ...(await account('alice')), deviceId: 'ALICE1' }));
  const bob = stack.use(await NioMember.start({ ...(await account('bob')), deviceId: 'BOB1', folder: join(folder, 'nio'), rotation: messagesPerSession }));
  const members: readonly EncryptedMember[] = [alice, bob];
  const room = await encryptedRoom(owner, [bot, ...members.map(({ userId }) => userId)]);
  for (const member of members) await member.join(room);
  const joined = z.object({ joined: z.record(z.string(), z.unknown()) });
  const until = performance.now() + answerMs;
  while (!(bot in (await owner.ask({ method: 'GET', path: `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/joined_members`, answer: joined })).joined)) {
    if (performance.now() > until) throw new Error('the bot does not come to the room');
    await sleep(100);
  }

  const said: string[] = [];
  const answerOf = (eventId: string | undefined) => findRead(alice, `the answer to ${String(eventId)}`, ({ sender, relatesTo }) => sender === bot && relatesTo.answers === eventId, answerMs);
  const isDying = (): boolean => fate.kills < n;
  while (isDying() || said.length < unanswered) {
    const speaker = said.length % 2 === 0 ? alice : bob;
    said.push(await speaker.say(room, said.length === 0 ? '!visio' : '!visio status', [bot, ...members.map(({ userId }) => userId)]));
    // The first one is answered by the notice.
    if (said.length > unanswered + 1) await answerOf(said.at(-1 - unanswered));
    await sleep(100);
  }
  for (const eventId of said.slice(1)) await answerOf(eventId);
  await sleep(1_500);

  const events = (await history(owner, room)).filter(({ sender }) => sender === bot);
  const encrypted = events.filter(({ type }) => type === 'm.room.encrypted');
  const places = encrypted.map(({ content }) => placeOf(content));
  const reused = places.length - new Set(places.map(({ session: id, index }) => `${id} ${index}`)).size;
  const answers = Map.groupBy(encrypted.flatMap(({ content }) => answered.safeParse(content).data?.['m.relates_to']['m.in_reply_to'].event_id ?? []), (id) => id);
  // The command that starts the call is answered by its notice.
  const wrong = said.slice(1).filter((id) => answers.get(id)?.length !== 1).length;
  const unread = members.map((member) => encrypted.filter(({ event_id: id }) => !member.read.has(id)).length);
  const devices = await alice.devicesOf(bot);
  const clear = events.filter(({ type }) => type === 'm.room.message').length;
  report.hold('The bridge was killed, and ended in no other way', fate.kills === n && strangeEnds.length === 0, `${fate.kills} times${strangeEnds.length > 0 ? `; ${strangeEnds.join(', ')}` : ''}`);
  report.hold('Each command has one answer', wrong === 0, `${said.length - 1 - wrong} of ${said.length - 1}`);
  report.hold('No place in a session was used twice', reused === 0, `${places.length} messages in ${new Set(places.map(({ session: id }) => id)).size} sessions`);
  report.hold('matrix-js-sdk and matrix-nio have read everything', unread.every((count) => count === 0), unread.map((count) => `${encrypted.length - count} of ${encrypted.length}`).join(', '));
  report.hold('The bot has one device', devices.size === 1, [...devices.keys()].join(', '));
  report.hold('Nothing was said in clear', clear === 0, `${clear} messages`);
  Object.assign(report.figures, { kills: fate.kills, points: Object.fromEntries([...points].toSorted()), commands: said.length, messages: places.length, sessions: new Set(places.map(({ session: id }) => id)).size, reused, unread, wrongAnswers: wrong });
  return { value: reused + wrong + clear + unread.reduce((sum, count) => sum + count, 0), limit: 0 };
}

async function encryptedRoom(owner: ClientApi, invite: readonly string[]): Promise<string> {
  const encryption = { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2', rotation_period_msgs: messagesPerSession } };
  const body = { preset: 'private_chat', invite, initial_state: [encryption] };
  return (await owner.ask({ method: 'POST', path: '/_matrix/client/v3/createRoom', body, answer: z.object({ room_id: z.string() }) })).room_id;
}

async function history(owner: ClientApi, room: string): Promise<readonly z.infer<typeof roomEvent>[]> {
  const all: z.infer<typeof roomEvent>[] = [];
  for (let from = ''; ; ) {
    const query = new URLSearchParams({ dir: 'f', limit: '500', ...(from !== '' && { from }) });
    const { chunk, end } = await owner.ask({ method: 'GET', path: `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/messages?${query.toString()}`, answer: page });
    all.push(...chunk);
    if (end === undefined || chunk.length === 0) return all;
    from = end;
  }
}
