// Owns the proof of the second means of introduction (docs/protocol/cascade.md §1.2): who is let in by it, what others get, and what is asked of whom.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { ServerName } from '../../src/call/ids.ts';
import { silentLogger, type LogKeys, type Logger } from '../../src/log/logger.ts';
import { serverName, userId } from '../support/builders.ts';
import { cascadeHost, type CascadeHost, type CascadeHostOptions } from '../support/cascade-host.ts';
import { realClock } from '../support/clocks.ts';
import { eventually } from '../support/eventually.ts';
import { IntroducerNetwork } from '../support/memory-introducer.ts';
import { RawLink } from '../support/raw-link.ts';
import { VouchingWorld } from '../support/vouching-world.ts';

const a = serverName('defense.example.org');
const b = serverName('finances.example.org');
const c = serverName('interieur.example.org');
const stranger = serverName('stranger.example.org');

describe('introductions by tokens and published addresses', () => {
  let network: IntroducerNetwork;
  let world: VouchingWorld;
  let hosts: CascadeHost[];
  let others: Server[];
  let logged: string[];
  let nonces = 0;
  const note = (message: string, keys?: LogKeys): void => void logged.push(`${message} ${JSON.stringify(keys)}`);
  const log: Logger = { ...silentLogger, info: note, warn: note, error: note, child: () => log };
  beforeEach(() => {
    network = new IntroducerNetwork();
    world = new VouchingWorld();
    [hosts, others, logged] = [[], [], []];
    for (const server of [a, b, c]) network.without.add(server);
  });
  afterEach(async () => {
    await Promise.all(hosts.map((host) => host[Symbol.asyncDispose]()));
    for (const server of others) server.closeAllConnections();
    for (const server of others) server.close();
    assert.doesNotMatch(logged.join('\n'), /secret-token/, 'a token is in the log');
  });

  const host = async (server: ServerName, options: Partial<CascadeHostOptions> = {}): Promise<CascadeHost> => {
    const made = await cascadeHost({ server, network, world, neighbours: [a, b, c], log, ...options });
    hosts.push(made);
    return made;
  };
  const bothUp = async (one: CascadeHost, other: CascadeHost): Promise<void> => {
    await eventually(() => (one.status(other.server).state === 'up' && other.status(one.server).state === 'up' ? undefined : `${String(one.status(other.server).reason)}; ${other.status(one.server).state}`), 3_000);
  };
  const reason = (one: CascadeHost, of: ServerName, words: RegExp) => eventually(() => (words.test(one.status(of).reason ?? '') ? undefined : `${words.source}, not ${one.status(of).reason ?? 'nothing'}`), 3_000);
  const refused = (one: CascadeHost, of: ServerName, code: string, count = 1) => eventually(() => (one.status(of).refusals?.[code] === count ? undefined : `${code} ${count}, not ${JSON.stringify(one.status(of).refusals)}`), 3_000);
  const nonce = (): string => String(++nonces).padStart(30, 'n');
  const introduction = (server: ServerName, change: object = {}) => ({ versions: ['1.0'], nonce: nonce(), server_name: server, openid_token: { access_token: world.tokenOf(server), matrix_server_name: server }, ...change });
  const confirmation = (server: ServerName, change: object = {}) => ({ nonce: nonce(), server_name: server, openid_token: { access_token: world.tokenOf(server), matrix_server_name: server }, version: '1.0', key: 'k'.repeat(43), ...change });
  /** As anybody on the internet can. */
  const post = async (to: CascadeHost, what: 'introduce' | 'confirm', body: object, source = '192.0.2.1') => {
    const response = await fetch(`${to.url.replace('ws:', 'http:')}/${what}`, { method: 'POST', body: JSON.stringify(body), headers: { 'x-source': source } });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  /** A bridge that is none of ours: answers as told, and notes what it is asked. */
  const false_ = async (server: ServerName, answer: (path: string, body: Record<string, string>) => number | Promise<number>): Promise<Record<string, string>[]> => {
    const bodies: Record<string, string>[] = [];
    const http = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const body = JSON.parse(Buffer.concat(parts).toString() || '{}') as Record<string, string>;
        if (request.method === 'POST') bodies.push(body);
        void Promise.resolve(answer(request.url ?? '', body)).then((status) => response.writeHead(status).end('{}'));
      });
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    others.push(http);
    const address = http.address();
    assert(typeof address === 'object' && address !== null);
    world.published.set(server, new URL(`http://127.0.0.1:${address.port}`));
    return bodies;
  };

  describe('link two bridges', () => {
    it('whose homeservers both carry no requests, and prove each to the other', async () => {
      const [one, other] = [await host(a), await host(b)];
      one.links.want(new Set([b]));
      await bothUp(one, other);
      assert.deepEqual(world.asked, [`${a} looks for the bridge of ${b}`, `${b} asks ${a} whose token`, `${b} looks for the bridge of ${a}`, `${a} asks ${b} whose token`]);
      assert.deepEqual([one.posted.map(({ path }) => path), other.posted.map(({ path }) => path)], [['/cascade/confirm'], ['/cascade/introduce']]);
      assert.deepEqual([one.status(b).refusals, other.status(a).refusals], [{}, {}]);
    });

    for (const lacking of [a, b]) {
      it(`when only the homeserver of ${lacking === a ? 'who asks' : 'who is asked'} carries none`, async () => {
        network.without.delete(lacking === a ? b : a);
        const [one, other] = [await host(a), await host(b)];
        one.links.want(new Set([b]));
        await bothUp(one, other);
        assert.equal(other.posted.length, 1);
      });
    }

    it('that want it at the same time', async () => {
      const [one, other] = [await host(a), await host(b)];
      one.links.want(new Set([b]));
      other.links.want(new Set([a]));
      await bothUp(one, other);
    });

    it('only where the first means does not exist', async () => {
      network.without.clear();
      const [one, other] = [await host(a), await host(b)];
      one.links.want(new Set([b]));
      await bothUp(one, other);
      assert.deepEqual([world.asked, one.posted, other.posted], [[], [], []]);
    });

    it('not where the first means was refused', async () => {
      network.without.clear();
      const [one, other] = [await host(a), await host(b, { neighbours: [c] })];
      one.links.want(new Set([b]));
      await reason(one, b, /refuses: its operator must list this bridge/);
      assert.deepEqual([world.asked, other.posted], [[], []]);
    });

    it('at an address that the operator has set, whatever is published', async () => {
      const [one, other] = [await host(a), await host(b)];
      const published = world.published.get(b);
      world.published.set(b, new URL('https://elsewhere.example.org'));
      const set = { ...world.of(c), urlOf: (server: ServerName) => (server === b ? published : undefined) };
      const third = await host(c, { world: Object.assign(new VouchingWorld(), { tokens: world.tokens, published: world.published, asked: world.asked, of: () => set }) });
      third.links.want(new Set([b]));
      await bothUp(third, other);
      one.links.want(new Set([b]));
      await reason(one, b, /elsewhere\.example\.org/);
    });
  });

  describe('tell nothing, and ask nobody, for', () => {
    const nobodyAsked = async (to: CascadeHost): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.deepEqual(world.asked, []);
      assert.equal(hosts.filter((each) => each !== to).flatMap(({ posted }) => posted).length, 0);
    };

    it('a server that is not listed, with the answer that every other gets', async () => {
      const [, to] = [await host(a), await host(b, { neighbours: [a] })];
      world.tokens.set('good', userId(`@visio_bridge:${stranger}`));
      const unlisted = await post(to, 'introduce', introduction(stranger, { openid_token: { access_token: 'good', matrix_server_name: stranger } }));
      assert.deepEqual(unlisted, { status: 200, body: {} });
      await nobodyAsked(to);
      assert.deepEqual(to.links.strangers(), { notListed: 1 });
      assert.deepEqual(await post(to, 'introduce', introduction(a, { openid_token: { access_token: 'bad', matrix_server_name: a } })), unlisted);
      assert.deepEqual((await post(to, 'introduce', introduction(b))).body, {});
      assert.equal(to.links.strangers()['notListed'], 2, 'its own name');
    });

    it('a token of another server', async () => {
      const to = await host(b);
      assert.deepEqual(await post(to, 'introduce', introduction(a, { openid_token: { access_token: world.tokenOf(c), matrix_server_name: c } })), { status: 200, body: {} });
      await refused(to, a, 'introductionToken');
      await nobodyAsked(to);
    });

    it('a confirmation that nobody waits for', async () => {
      const to = await host(a);
      world.of(b);
      const answer = await post(to, 'confirm', confirmation(b));
      assert.deepEqual([answer.status, answer.body['errcode']], [403, 'M_FORBIDDEN']);
      await refused(to, b, 'confirmationUnasked');
      await nobodyAsked(to);
    });

    it('something of another shape', async () => {
      const to = await host(b);
      for (const change of [{ nonce: 'short' }, { versions: [] }, { server_name: 'a b' }, { openid_token: 'x' }, { openid_token: { access_token: 'x'.repeat(2001), matrix_server_name: a } }]) assert.equal((await post(to, 'introduce', introduction(a, change))).status, 400);
      for (const change of [{ key: 'k' }, { nonce: undefined }, { version: undefined, errcode: 'OTHER' }]) assert.equal((await post(to, 'confirm', confirmation(a, change))).status, 400);
      assert.deepEqual(to.links.strangers(), { introductionShape: 8 });
      await nobodyAsked(to);
    });

    it('more than 30 a minute of one address', async () => {
      const to = await host(b, { neighbours: [a] });
      for (let index = 0; index < 30; index += 1) assert.equal((await post(to, 'introduce', introduction(stranger))).status, 200);
      const refusedOne = await post(to, 'introduce', introduction(stranger));
      assert.deepEqual([refusedOne.status, refusedOne.body['errcode'], typeof refusedOne.body['retry_after_ms']], [429, 'M_LIMIT_EXCEEDED', 'number']);
      assert.equal((await post(to, 'introduce', introduction(stranger), '192.0.2.2')).status, 200);
      assert.deepEqual(to.links.strangers(), { notListed: 31, introductionFlood: 1 });
      await nobodyAsked(to);
    });
  });

  describe('give nothing to', () => {
    it('a neighbour that shows a token which it got from another: the key goes to its owner, who refuses it', async () => {
      const [owner, to] = [await host(a), await host(b)];
      // What the third has is all that the owner ever sends: its token.
      const answer = await post(to, 'introduce', introduction(a), 'the third');
      assert.deepEqual(answer, { status: 200, body: {} });
      await refused(to, a, 'introductionUnconfirmed');
      await refused(owner, b, 'confirmationUnasked');
      const key = String(owner.posted[0]?.body['key']);
      assert.match(key, /^[\w-]{43}$/);
      await assert.rejects(RawLink.open({ url: to.url, key }, a), /HTTP 401/, 'the key is revoked');
      assert.deepEqual([owner.status(b).state, to.status(a).state], ['idle', 'idle']);
    });

    it('a neighbour that passes on what it was asked: the nonce is waited for from itself', async () => {
      const [asking, to] = [await host(a), await host(c)];
      const bodies = await false_(b, async (_path, body) => (await post(to, 'introduce', body)).status);
      asking.links.want(new Set([b]));
      await refused(to, a, 'introductionUnconfirmed');
      await refused(asking, c, 'confirmationUnasked');
      assert.equal(bodies.length, 1);
      assert.notEqual(to.status(a).state, 'up');
    });

    it('a user who is not the speaker, be it the bot', async () => {
      const [owner, to] = [await host(a), await host(b)];
      for (const [index, user] of [userId(`@alice:${a}`), userId(`@visio:${a}`), userId(`@visio_bridge2:${a}`)].entries()) {
        world.tokens.set(user, user);
        await post(to, 'introduce', introduction(a, { openid_token: { access_token: user, matrix_server_name: a } }));
        await refused(to, a, 'introductionToken', index + 1);
      }
      assert.deepEqual(owner.posted, []);
    });

    it('a speaker of another server, whose homeserver lies', async () => {
      const [owner, to] = [await host(a), await host(b)];
      await post(to, 'introduce', introduction(a, { openid_token: { access_token: world.tokenOf(b), matrix_server_name: a } }));
      await refused(to, a, 'introductionToken');
      assert.deepEqual(owner.posted, []);
    });

    it('a request that was recorded, a second time', async () => {
      const [owner, to] = [await host(a), await host(b)];
      const recorded = introduction(a);
      await post(to, 'introduce', recorded);
      await eventually(() => (owner.posted.length === 1 ? undefined : 'the first confirmation'));
      await post(to, 'introduce', recorded, 'elsewhere');
      await refused(to, a, 'introductionReplay');
      assert.equal(owner.posted.length, 1);
    });

    it('whoever confirms with a token that is not its speaker\'s, or of another server; and not twice', async () => {
      world.tokens.set('mallory', userId(`@mallory:${b}`));
      world.of(c);
      const wrong = [{ access_token: 'mallory', matrix_server_name: b }, { access_token: world.tokenOf(c), matrix_server_name: c }, { access_token: world.tokenOf(c), matrix_server_name: b }];
      for (const token of wrong) {
        const bodies = await false_(b, () => 200);
        const from = await host(a, { log: silentLogger });
        from.links.want(new Set([b]));
        await eventually(() => (bodies.length === 1 ? undefined : 'the introduction'));
        const sent = confirmation(b, { nonce: bodies[0]?.['nonce'], openid_token: token });
        assert.equal((await post(from, 'confirm', sent)).status, 403);
        await refused(from, b, 'confirmationToken');
        await reason(from, b, /has not proved itself/);
        world.of(b);
        assert.equal((await post(from, 'confirm', { ...sent, openid_token: { access_token: world.tokenOf(b), matrix_server_name: b } })).status, 403, 'the nonce is used up');
      }
    });

    it('a second confirmation while the first is being verified', async () => {
      const asking = await host(a);
      const bodies = await false_(b, () => 200);
      world.of(b);
      world.delay = () => new Promise((resolve) => setTimeout(resolve, 100));
      asking.links.want(new Set([b]));
      await eventually(() => (bodies.length === 1 ? undefined : 'the introduction'));
      const sent = confirmation(b, { nonce: bodies[0]?.['nonce'] });
      const answers = await Promise.all([post(asking, 'confirm', sent), post(asking, 'confirm', sent)]);
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 403]);
      assert.equal(world.asked.filter((line) => line === `${a} asks ${b} whose token`).length, 1);
    });

    it('the server that an answer is not awaited from, though it knows the nonce', async () => {
      const asking = await host(a);
      const bodies = await false_(b, () => 200);
      world.of(c);
      asking.links.want(new Set([b]));
      await eventually(() => (bodies.length === 1 ? undefined : 'the introduction'));
      assert.equal((await post(asking, 'confirm', confirmation(c, { nonce: bodies[0]?.['nonce'] }))).status, 403);
      await refused(asking, c, 'confirmationUnasked');
    });
  });

  describe('bound what strangers can cause', () => {
    it('to 20 a minute in the name of a server, however many addresses; who was confirmed has an allowance of its own', async () => {
      const [owner, to] = [await host(a), await host(b)];
      owner.links.want(new Set([b]));
      await bothUp(owner, to);
      world.down.add(a);
      world.asked.length = 0;
      for (let index = 0; index < 40; index += 1) {
        await post(to, 'introduce', introduction(a), `192.0.2.${index}`);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await refused(to, a, 'introductionFlood', 21);
      // One was the owner's own.
      assert.equal(world.asked.length, 19);
      world.down.clear();
      await post(to, 'introduce', introduction(a), '127.0.0.1');
      await eventually(() => (world.asked.length === 21 ? undefined : 'the owner is still heard'));
    });

    it('to two at once in the name of a server, while its homeserver hangs', async () => {
      const to = await host(b);
      const { promise, resolve } = Promise.withResolvers<undefined>();
      world.delay = () => promise.then(() => undefined);
      for (let index = 0; index < 5; index += 1) await post(to, 'introduce', introduction(a), `192.0.2.${index}`);
      assert.deepEqual(world.asked, [`${b} asks ${a} whose token`, `${b} asks ${a} whose token`]);
      await refused(to, a, 'introductionFlood', 3);
      resolve(undefined);
    });

    it('without touching the allowance of the first means', async () => {
      network.without.clear();
      const [owner, to] = [await host(a), await host(b, { limits: { introductionsPerMinute: 1 } })];
      for (let index = 0; index < 25; index += 1) await post(to, 'introduce', introduction(a), `192.0.2.${index}`);
      owner.links.want(new Set([b]));
      await bothUp(owner, to);
    });
  });

  describe('say what to do when', () => {
    it('neither means works: both are named', async () => {
      const one = await host(a);
      one.links.want(new Set([b]));
      await reason(one, b, /^neither means of introduction works\. Through the homeservers: the homeserver does not carry requests .*\. Directly: finances\.example\.org publishes no bridge: its operator adds fr\.viaduc\.bridge .*neighbours\.url/);
    });

    it('the other says nothing, as to strangers', async () => {
      const one = await host(a, { limits: { openTimeoutMs: 300 } });
      await host(b, { neighbours: [c] });
      one.links.want(new Set([b]));
      await reason(one, b, /has not confirmed in time: it does not list defense\.example\.org, could not verify us .* neighbours tells its operator which/);
    });

    it('the address is not one of a bridge, or is busy, or without TLS, or not reached', async () => {
      for (const [status, words] of [[404, /knows no introduction by this means/], [429, /asked too often/], [503, /starts or stops/], [400, /does not understand/], [302, /status 302/]] as const) {
        await false_(b, () => status);
        const one = await host(a);
        one.links.want(new Set([b]));
        await reason(one, b, words);
      }
      const careful = await host(a, { privateAddresses: [] });
      careful.links.want(new Set([b]));
      await reason(careful, b, /without TLS, which is refused unless its network is listed in access\.privateAddresses/);
      world.published.set(b, new URL('http://127.0.0.1:1'));
      const one = await host(a);
      one.links.want(new Set([b]));
      await reason(one, b, /is not reached: .*ECONNREFUSED/);
    });

    it('the homeserver of who asks cannot be asked, or its bridge is not found', async () => {
      const [, to] = [await host(a), await host(b)];
      world.down.add(a);
      await post(to, 'introduce', introduction(a));
      await refused(to, a, 'introductionUnverified');
      world.down.clear();
      world.published.delete(a);
      await post(to, 'introduce', introduction(a));
      await refused(to, a, 'introductionUnanswered');
      assert.match(logged.join('\n'), /introductionUnanswered.*publishes no bridge/);
    });

    it('there is no common version, on both sides', async () => {
      const to = await host(b);
      const bodies = await false_(a, () => 200);
      world.of(a);
      await post(to, 'introduce', introduction(a, { versions: ['2.0', 'x\n'] }));
      await refused(to, a, 'introductionVersion');
      await eventually(() => (bodies.length === 1 ? undefined : 'the confirmation'));
      const { errcode, versions, key } = bodies[0] ?? {};
      assert.deepEqual([errcode, versions, key], ['FR_VIADUC_VERSION', ['1.0'], undefined]);
      assert.match(logged.join('\n'), /"ours":\["1\.0"\],"theirs":\["2\.0"\]/);

      const asked = await false_(c, () => 200);
      world.of(c);
      to.links.want(new Set([c]));
      await eventually(() => (asked.length === 1 ? undefined : 'the introduction'));
      const { version: _version, key: _key, ...rest } = confirmation(c, { nonce: asked[0]?.['nonce'] });
      assert.equal((await post(to, 'confirm', { ...rest, errcode: 'FR_VIADUC_VERSION', versions: ['3.1'] })).status, 200);
      await reason(to, c, /ours 1\.0, theirs 3\.1: the older bridge must be updated/);
    });

    it('the bridge starts or stops', async () => {
      const to = await host(b);
      await to.links.close();
      assert.equal((await post(to, 'introduce', introduction(a))).status, 503);
    });
  });

  describe('where any server may be a neighbour', () => {
    const any = { neighbours: [], acceptsAny: true } as const;
    const idle = { limits: { idleCloseMs: 300 } };

    it('link bridges that do not list each other, and forget each other when no call is shared', async () => {
      const [one, other] = [await host(a, { ...any, ...idle }), await host(b, { ...any, ...idle })];
      one.links.seek([a, b]);
      assert(one.links.isSought(b) && !one.links.isSought(a));
      await bothUp(one, other);
      assert.deepEqual([one.links.neighbours(), other.links.neighbours()], [[b], [a]]);
      one.links.want(new Set([b]));
      other.links.want(new Set([a]));
      await new Promise((resolve) => setTimeout(resolve, 500));
      assert.equal(one.status(b).state, 'up', 'a call is shared');
      one.links.want(new Set());
      other.links.want(new Set());
      await eventually(() => (one.links.neighbours().length + other.links.neighbours().length === 0 ? undefined : 'parting'), 2_000);
      assert.match(one.told.join(), /no call is shared/);
      assert.equal(one.links.isNeighbour(b), false);
    });

    it('work by the first means too', async () => {
      network.without.clear();
      const [one, other] = [await host(a, any), await host(b, any)];
      one.links.seek([b]);
      await bothUp(one, other);
      assert.deepEqual(world.asked, []);
    });

    it('do not ask again where no bridge was found, until an hour has passed', async () => {
      let nowMs = Date.now();
      const one = await host(a, { ...any, clock: { ...realClock, nowMs: () => nowMs } });
      const looks = (): number => world.asked.filter((line) => line.endsWith(`bridge of ${stranger}`)).length;
      for (const [laterMs, expected] of [[0, 1], [3_599_000, 1], [2_000, 2]] as const) {
        nowMs += laterMs;
        one.links.seek([stranger]);
        await eventually(() => (one.links.isSought(stranger) ? 'the end of the search' : undefined));
        assert.equal(looks(), expected);
      }
      assert.deepEqual(one.links.neighbours(), []);
    });

    it('look for four at once and 30 in a minute', async () => {
      const one = await host(a, any);
      const many = Array.from({ length: 60 }, (_, index) => serverName(`s${index}.example.org`));
      one.links.seek(many);
      assert.equal(many.filter((server) => one.links.isSought(server)).length, 4);
      for (let round = 0; round < 20; round += 1) {
        one.links.seek(many);
        await eventually(() => (many.some((server) => one.links.isSought(server)) ? 'the end' : undefined));
      }
      assert.equal(new Set(world.asked).size, 30);
    });

    it('look for nobody where only the listed may be', async () => {
      const one = await host(a, { neighbours: [b] });
      one.links.seek([stranger, c]);
      assert.deepEqual([one.links.isSought(stranger), one.links.isSought(c), one.links.acceptsAny], [false, false, false]);
    });

    it('check at most 30 introductions in a minute of all who are not listed', async () => {
      const to = await host(b, any);
      for (let index = 0; index < 40; index += 1) {
        await post(to, 'introduce', introduction(serverName(`s${index}.example.org`)), `192.0.2.${index}`);
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.equal(world.asked.length, 30);
      assert.equal(to.links.strangers()['introductionFlood'], 10);
    });
  });
});
