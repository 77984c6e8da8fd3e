// Owns the proof that whole bridges with real homeservers find and trust each other, whichever means of introduction there is.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { createBridge, type Bridge } from '../../src/bridge.ts';
import { loadConfig } from '../../src/config/load.ts';
import { silentLogger } from '../../src/log/logger.ts';
import { bridgeFiles, noticeOf, noticesIn, specSettings, type BridgeFilesOfSpec } from '../support/bridge-env.ts';
import { eventually } from '../support/eventually.ts';
import { startFederation, type Federation } from '../support/homeservers.ts';
import type { MatrixUser } from '../support/matrix-user.ts';
import { specRun } from '../support/run.ts';
import { workerBinary } from '../support/worker-binary.ts';

const settings = { ...specSettings, 'media.workers': 1, 'media.workerBinary': workerBinary() };
const statuses = z.array(z.looseObject({ server: z.string(), state: z.string(), calls: z.number(), reason: z.string().optional(), refusals: z.record(z.string(), z.number()) }));
const configShape = z.looseObject({ neighbours: z.array(z.looseObject({})) });

interface Stage extends AsyncDisposable {
  readonly federation: Federation;
  readonly files: readonly [BridgeFilesOfSpec, BridgeFilesOfSpec];
  /** How one bridge sees the other. */
  status(index: number): Promise<z.infer<typeof statuses>[number] | undefined>;
}

interface Choices {
  /** Does the homeserver carry requests between bridges? */
  readonly carries: readonly [boolean, boolean];
  /** Changes what each bridge lists. */
  readonly neighbours: (listed: readonly object[], other: BridgeFilesOfSpec) => readonly object[];
  readonly more?: Readonly<Record<string, unknown>>;
}

describe('whole bridges are introduced', function () {
  this.timeout(90_000);

  const stage = async ({ carries, neighbours, more = {} }: Choices): Promise<Stage> => {
    const { folder } = await specRun();
    await using starting = new AsyncDisposableStack();
    const files = [await bridgeFiles(mkdtempSync(join(folder, 'one-')), 0, { ...settings, ...more }), await bridgeFiles(mkdtempSync(join(folder, 'other-')), 1, { ...settings, ...more })] as const;
    for (const [index, { configFile }] of files.entries()) {
      const config = configShape.parse(parse(readFileSync(configFile, 'utf8')));
      writeFileSync(configFile, stringify({ ...config, neighbours: neighbours(config.neighbours, files[index === 0 ? 1 : 0]) }));
    }
    const federation = starting.use(
      await startFederation({
        size: 2,
        settings: (index) => ({ registrations: [files[index === 0 ? 0 : 1].registration], extra: { experimental_features: carries[index === 0 ? 0 : 1] ? { msc4512_enabled: true } : {} } }),
      }),
    );
    const bridges: Bridge[] = await Promise.all(files.map(({ configFile }) => createBridge(loadConfig(configFile), silentLogger)));
    for (const bridge of bridges) starting.defer(() => bridge.close());
    await Promise.all(files.map(({ metricsUrl }) => eventually(async () => ((await fetch(`${metricsUrl}/readyz`)).ok ? undefined : 'a bridge is not ready'), 20_000)));
    const kept = starting.move();
    return {
      federation,
      files,
      status: async (index) => statuses.parse(await (await fetch(`${files[index === 0 ? 0 : 1].metricsUrl}/neighbours`)).json())[0],
      [Symbol.asyncDispose]: () => kept.disposeAsync(),
    };
  };

  /** A room with both organisations' people and bots, and a call in it. */
  const call = async ({ federation }: Stage): Promise<{ readonly alice: MatrixUser; readonly room: string }> => {
    const [alice, bob] = [await federation.user(0, 'alice'), await federation.user(1, 'bob')];
    const bots = [0, 1].map((index) => `@visio:${federation.server(index).serverName}`);
    const room = await alice.createRoom({ power_level_content_override: { users: Object.fromEntries(bots.map((bot) => [bot, 50])) } });
    for (const user of [bob.userId, ...bots]) await alice.invite(room, user);
    await bob.join(room, federation.server(0).serverName);
    for (const bot of bots) await alice.find(bot, (event) => event.roomId === room && event.stateKey === bot && event.content['membership'] === 'join');
    const notice = alice.next('the notice', (event) => event.roomId === room && noticeOf(event)?.state === 'open');
    await alice.say(room, '!visio');
    await notice;
    return { alice, room };
  };
  const shared = async (on: Stage): Promise<void> => {
    const ok = (status: Awaited<ReturnType<Stage['status']>>): boolean => status?.state === 'up' && status.calls === 1;
    await eventually(async () => {
      const [one, other] = [await on.status(0), await on.status(1)];
      return ok(one) && ok(other) ? undefined : JSON.stringify([one, other]);
    }, 30_000);
  };
  const withUrl: Choices['neighbours'] = (listed, { publicUrl }) => listed.map((neighbour) => ({ ...neighbour, url: publicUrl }));

  it('by tokens and addresses where neither homeserver carries requests; a token shown by others opens nothing', async () => {
    await using on = await stage({ carries: [false, false], neighbours: withUrl });
    const { alice, room } = await call(on);
    await shared(on);

    const [one, other] = on.files;
    const server = on.federation.server(0);
    const post = async (url: string, body: object): Promise<number> => (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })).status;
    const introduce = (token: object, nonce: string): Promise<number> => post(`${other.publicUrl}/cascade/introduce`, { versions: ['1.0'], nonce: nonce.repeat(30), server_name: server.serverName, openid_token: token });
    const counted = async (code: string): Promise<void> => eventually(async () => ((await on.status(1))?.refusals[code] === 1 ? undefined : JSON.stringify((await on.status(1))?.refusals)));
    // Somebody of that organisation is not its bridge.
    assert.equal(await introduce(await alice.openIdToken(), 'a'), 200);
    await counted('introductionToken');
    // The speaker's own token, as a neighbour gets to see it.
    const speaker = `@visio_bridge:${server.serverName}`;
    const asked = await fetch(`${server.url}/_matrix/client/v3/user/${encodeURIComponent(speaker)}/openid/request_token?user_id=${encodeURIComponent(speaker)}`, { method: 'POST', headers: { authorization: `Bearer ${String(one.registration['as_token'])}`, 'content-type': 'application/json' }, body: '{}' });
    const token = z.looseObject({ access_token: z.string() }).parse(await asked.json());
    assert.equal(await introduce(token, 'b'), 200);
    await counted('introductionUnconfirmed');
    for (const { publicUrl } of on.files) assert.equal(await post(`${publicUrl}/sfu/get`, { room, openid_token: token, device_id: 'D' }), 403, 'the speaker is in no room');
    assert.equal(await post(`${one.publicUrl}/sfu/get`, { room, openid_token: await alice.openIdToken(), device_id: 'D' }), 200);
    assert.equal((await on.status(1))?.state, 'up');
  });

  it('where only one homeserver carries requests', async () => {
    await using on = await stage({ carries: [true, false], neighbours: withUrl });
    await call(on);
    await shared(on);
  });

  it('where nobody is listed and any server may be a neighbour; one bot answers', async () => {
    await using on = await stage({ carries: [true, true], neighbours: () => [], more: { 'cascade.accept': 'anyFederated' } });
    const { alice, room } = await call(on);
    await shared(on);
    assert.equal(new Set(noticesIn(alice, room).map(({ eventId }) => eventId)).size, 1);
  });
});
