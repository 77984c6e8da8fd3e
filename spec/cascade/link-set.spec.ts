// Owns the proof that two bridges have one link when they want one, and none otherwise, over real WebSockets.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../src/control/ports/clock.ts';
import type { PeerMessage } from '../../src/control/ports/peer-links.ts';
import { alice, serverName, theRoom } from '../support/builders.ts';
import { cascadeHost, type CascadeHost, type CascadeHostOptions } from '../support/cascade-host.ts';
import { virtualClock } from '../support/clocks.ts';
import { eventually } from '../support/eventually.ts';
import { IntroducerNetwork } from '../support/memory-introducer.ts';
import { RawLink, invite } from '../support/raw-link.ts';
import { tlsHost } from '../support/tls-host.ts';

const a = serverName('finances.example.org');
const b = serverName('interieur.example.org');
const call: PeerMessage = { type: 'call', room: theRoom, startedBy: alice, startedAtMs: 1_000, owner: b, term: 0 };
const leave: PeerMessage = { type: 'leave', room: theRoom };
const noJitter: Random = { base32: () => 'a', digits: () => '500000' };

describe('links between bridges', () => {
  let network: IntroducerNetwork;
  let hosts: CascadeHost[];
  beforeEach(() => {
    network = new IntroducerNetwork();
    hosts = [];
  });
  afterEach(async () => {
    await Promise.all(hosts.map((host) => host[Symbol.asyncDispose]()));
  });

  const host = async (server: typeof a, options: Partial<CascadeHostOptions> = {}): Promise<CascadeHost> => {
    const made = await cascadeHost({ server, network, neighbours: [a, b], ...options });
    hosts.push(made);
    return made;
  };
  const bothUp = (one: CascadeHost, other: CascadeHost) => () => (one.status(other.server).state === 'up' && other.status(one.server).state === 'up' ? undefined : `${one.status(other.server).state} and ${other.status(one.server).state}`);
  const pair = async (options: Partial<CascadeHostOptions> = {}): Promise<readonly [CascadeHost, CascadeHost]> => {
    const [one, other] = [await host(a, options), await host(b, options)];
    one.links.want(new Set([b]));
    await eventually(bothUp(one, other), 2_000);
    return [one, other];
  };
  const ups = (one: CascadeHost): string[] => one.told.filter((line) => /^(up|down) /.test(line)).map((line) => line.split(' ')[0] ?? '');
  /** Never two links at a time, as the listener sees it. */
  const assertOneAtATime = (one: CascadeHost): void => {
    for (const [index, line] of ups(one).entries()) assert.equal(line, index % 2 === 0 ? 'up' : 'down', one.told.join('\n'));
  };

  it('come up when one side wants them, carry messages in order both ways, and tell their round trip', async () => {
    const [one, other] = [await host(a), await host(b)];
    assert.equal(one.status(b).state, 'idle');
    assert.equal(one.links.send(b, call), false);
    one.links.want(new Set([b]));
    one.links.want(new Set([b]));
    await eventually(bothUp(one, other), 2_000);
    const numbered = (startedAtMs: number): PeerMessage => ({ ...call, startedAtMs });
    for (let index = 0; index < 300; index += 1) assert.equal(one.links.send(b, numbered(index)), true);
    for (let index = 0; index < 300; index += 1) assert.equal(other.links.send(a, numbered(index)), true);
    await eventually(() => (one.received.length === 300 && other.received.length === 300 ? undefined : `${one.received.length} and ${other.received.length}`), 5_000);
    assert.deepEqual(other.received, Array.from({ length: 300 }, (_, index) => numbered(index)));
    assert.deepEqual(one.received, other.received);
    await eventually(() => (one.status(b).roundTripMs === undefined ? 'a round trip' : undefined));
    assert.ok((one.status(b).roundTripMs ?? 1e6) < 1_000);
    assert.equal(network.asked.length, 1);
    assert.deepEqual(ups(one), ['up']);
  });

  it('hear what the other says in its linkUp, and let their listener fail', async () => {
    const [one, other] = [await host(a, { onMessage: () => assert.fail('a fault of the listener') }), await host(b)];
    other.links.want(new Set([a]));
    await eventually(bothUp(one, other), 2_000);
    other.links.send(a, call);
    other.links.send(a, leave);
    await eventually(() => (one.received.length === 2 ? undefined : 'both messages'));
    assert.equal(one.status(b).state, 'up');
  });

  it('are one when both sides open at once, 200 times', async function () {
    this.timeout(120_000);
    let races = 0;
    const once200 = async (round: number): Promise<void> => {
      const own = new IntroducerNetwork();
      own.delay = () => sleep(Math.random() * 12);
      await using one = await cascadeHost({ server: a, network: own, neighbours: [b] });
      await using other = await cascadeHost({ server: b, network: own, neighbours: [a] });
      one.links.want(new Set([b]));
      if (round % 3 === 0) await sleep(Math.random() * 15);
      other.links.want(new Set([a]));
      const settled = () => {
        const connections = one.sockets.size + other.sockets.size;
        return bothUp(one, other)() ?? (connections === 1 ? undefined : `${connections} connections`);
      };
      await eventually(settled, 5_000);
      await sleep(30);
      assert.equal(settled(), undefined, `round ${round}: not settled: ${one.told.join('; ')} | ${other.told.join('; ')}`);
      if (own.asked.length > 1) races += 1;
      for (const each of [one, other]) {
        assertOneAtATime(each);
        assert.equal(each.up.get(each === one ? b : a), 1);
      }
      assert.ok(one.links.send(b, call) && other.links.send(a, leave));
      await eventually(() => (one.received.length === 1 && other.received.length === 1 ? undefined : 'a message each way'), 2_000);
    };
    for (let round = 0; round < 200; round += 20) await Promise.all(Array.from({ length: 20 }, (_, index) => once200(round + index)));
    assert.ok(races > 100, `only ${races} of 200 were races`);
  });

  it('of the smaller name stay when both are open, whichever comes first', async () => {
    for (const first of [a, b]) {
      network = new IntroducerNetwork();
      const other = await host(b, { clock: virtualClock() });
      const introducer = network.of(a);
      // A neighbour that opens from its side as soon as it is asked to.
      const invitation = await invite(introducer, b);
      const mine = await RawLink.open(invitation, a);
      let theirs: RawLink['ws'] | undefined;
      const http = createServer();
      const { WebSocketServer } = await import('ws');
      const door = new WebSocketServer({ server: http, handleProtocols: () => 'viaduc.cascade.1' });
      http.listen(0, '127.0.0.1');
      await once(http, 'listening');
      const address = http.address();
      assert.ok(typeof address === 'object' && address !== null);
      const heard: string[] = [];
      door.on('connection', (ws) => {
        theirs = ws;
        ws.on('message', (data) => heard.push((data instanceof Buffer ? data : Buffer.alloc(0)).toString('utf8')));
      });
      introducer.answer('cascade/introduce', () => Promise.resolve({ status: 200, content: { version: '1.0', url: `ws://127.0.0.1:${address.port}/cascade`, key: 'k'.repeat(43) } }));
      const helloTheirs = () => theirs?.send(JSON.stringify({ type: 'hello', version: '1.0', serverName: a, limits: { people: 1, tracksPerPerson: 1, framesPerSecond: 100 } }));
      if (first === a) {
        // b does not want a link that is there: hold a's hello back until b has opened its own.
        other.links.want(new Set([a]));
        await sleep(50);
        mine.hello();
        await eventually(() => (other.status(a).state === 'up' ? undefined : 'the first link'));
        await sleep(50);
        helloTheirs();
      } else {
        other.links.want(new Set([a]));
        await sleep(50);
        helloTheirs();
        await sleep(50);
        mine.hello();
        await eventually(() => (other.status(a).state === 'up' ? undefined : 'a link'));
      }
      await sleep(50);
      other.links.send(a, call);
      await eventually(() => (mine.types().includes('call') ? undefined : `the call on the link of the smaller name (${mine.types().join()} | ${heard.join()})`));
      assert.equal(other.sockets.size, 1);
      assertOneAtATime(other);
      mine.ws.terminate();
      for (const ws of door.clients) ws.terminate();
      http.close();
    }
  });

  it('are replaced by a newer one of the same side', async () => {
    const [one, other] = await pair();
    one.links.send(b, call);
    await eventually(() => (other.received.length === 1 ? undefined : 'the call'));
    // The same organisation's bridge comes back before anybody has noticed that it was gone.
    const again = await host(a);
    again.links.want(new Set([b]));
    await eventually(bothUp(again, other), 2_000);
    await eventually(() => (one.told.some((line) => /duplicate/.test(line)) ? undefined : 'the farewell'));
    assert.deepEqual(ups(other), ['up', 'down', 'up']);
    other.links.send(a, leave);
    await eventually(() => (again.received.length === 1 ? undefined : 'the message on the new link'));
    assert.equal(one.received.length, 0);
  });

  it('come back after they were lost, and nothing of the old one is heard after', async () => {
    const [one, other] = await pair();
    for (const socket of other.sockets) socket.destroy();
    await eventually(() => (ups(one).length === 3 ? undefined : ups(one).join()), 5_000);
    await eventually(bothUp(one, other));
    assert.match(one.told[1] ?? '', /down interieur\.example\.org: the connection was lost/);
    assertOneAtATime(one);
    assertOneAtATime(other);
  });

  it('are tried again after 1, 2, 4 … 60 s, each more or less by half', async () => {
    const clock = virtualClock();
    network.cut.add(b);
    const attempts: number[] = [];
    network.delay = () => {
      attempts.push(clock.nowMs());
      return Promise.resolve();
    };
    const one = await host(a, { clock, random: noJitter });
    one.links.want(new Set([b]));
    const failed = async (count: number) => {
      await eventually(() => (attempts.length === count && one.status(b).state === 'down' && clock.waiting() > 0 ? undefined : `${attempts.length} attempts, ${one.status(b).state}`), 2_000);
    };
    await failed(1);
    assert.match(one.status(b).reason ?? '', /does not reach/);
    for (const [index, waitMs] of [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000].entries()) {
      clock.advance(waitMs - 1);
      await sleep(5);
      assert.equal(attempts.length, index + 1, `before ${waitMs} ms`);
      clock.advance(1);
      await failed(index + 2);
    }
    // Nobody wants it any more: no more attempts. Wanted again: not before its time.
    one.links.want(new Set());
    clock.advance(30_000);
    assert.equal(one.status(b).state, 'idle');
    one.links.want(new Set([b]));
    clock.advance(29_999);
    await sleep(5);
    assert.equal(attempts.length, 9);
    clock.advance(1);
    await failed(10);
    // The neighbour is back.
    network.cut.delete(b);
    const other = await host(b, { clock });
    clock.advance(60_000);
    await eventually(bothUp(one, other));
    assert.equal(one.status(b).reason, undefined);
  });

  it('use jitter from half to one and a half', async () => {
    for (const [digits, waitMs] of [['000000', 500], ['999999', 1_500]] as const) {
      network = new IntroducerNetwork();
      const clock = virtualClock();
      const one = await host(a, { clock, random: { ...noJitter, digits: () => digits } });
      one.links.want(new Set([b]));
      await eventually(() => (one.status(b).state === 'down' ? undefined : one.status(b).state));
      clock.advance(waitMs - 1);
      await sleep(5);
      assert.equal(network.asked.length, 1);
      clock.advance(1);
      await eventually(() => (network.asked.length === 2 ? undefined : 'the second attempt'));
    }
  });

  it('that fall at once are not tried at once for ever', async () => {
    const clock = virtualClock();
    const one = await host(a, { clock, random: noJitter });
    const other = await host(b, { clock });
    one.links.want(new Set([b]));
    for (const waitMs of [1_000, 2_000, 4_000]) {
      await eventually(bothUp(one, other));
      const before = network.asked.length;
      for (const socket of other.sockets) socket.destroy();
      await eventually(() => (one.status(b).state === 'down' ? undefined : one.status(b).state));
      clock.advance(waitMs - 1);
      await sleep(5);
      assert.equal(network.asked.length, before, `before ${waitMs} ms`);
      clock.advance(1);
    }
    await eventually(bothUp(one, other));
    // One that held is tried again soon. (Each side's pings are answered in between.)
    for (let index = 0; index < 5; index += 1) {
      clock.advance(2_000);
      await sleep(20);
    }
    for (const socket of other.sockets) socket.destroy();
    await eventually(() => (one.status(b).state === 'down' ? undefined : one.status(b).state));
    clock.advance(1_000);
    await eventually(bothUp(one, other));
  });

  it('that were up once are tried again within 15 s, more or less by half; one that held for a while makes the wait shorter', async () => {
    const clock = virtualClock();
    const one = await host(a, { clock, random: noJitter });
    const other = await host(b, { clock });
    one.links.want(new Set([b]));
    const fall = async (): Promise<void> => {
      await eventually(bothUp(one, other));
      for (const socket of other.sockets) socket.destroy();
      await eventually(() => (one.status(b).state === 'down' ? undefined : one.status(b).state));
    };
    const backAfter = async (waitMs: number): Promise<void> => {
      const before = network.asked.length;
      clock.advance(waitMs - 1);
      await sleep(5);
      assert.equal(network.asked.length, before, `before ${waitMs} ms`);
      clock.advance(1);
      await eventually(bothUp(one, other));
    };
    for (const waitMs of [1_000, 2_000, 4_000, 8_000, 15_000, 15_000]) {
      await fall();
      await backAfter(waitMs);
    }
    for (let index = 0; index < 2; index += 1) {
      clock.advance(2_000);
      await sleep(20);
    }
    await fall();
    await backAfter(8_000);
  });

  it('that the other side opens end the wait', async () => {
    const clock = virtualClock();
    network.cut.add(b);
    const one = await host(a, { clock, random: noJitter });
    one.links.want(new Set([b]));
    await eventually(() => (one.status(b).state === 'down' ? undefined : one.status(b).state));
    network.cut.delete(b);
    const other = await host(b, { clock });
    other.links.want(new Set([a]));
    await eventually(bothUp(one, other));
    assert.equal(clock.nowMs(), virtualClock().nowMs(), 'no time has passed');
    clock.advance(1_500);
    await sleep(5);
    assert.equal(network.asked.length, 2, 'and nothing is opened any more');
  });

  it('that nobody wants close after a minute without a word, and not before', async () => {
    const clock = virtualClock();
    const [one, other] = await pair({ clock });
    const pass = async (seconds: number) => {
      for (let index = 0; index < seconds; index += 2) {
        clock.advance(2_000);
        await sleep(8);
      }
    };
    await pass(70);
    assert.equal(bothUp(one, other)(), undefined, 'wanted by the side that opened it');
    one.links.want(new Set());
    await pass(40);
    one.links.send(b, leave);
    other.links.send(a, leave);
    await eventually(() => (one.received.length === 1 && other.received.length === 1 ? undefined : 'a message each way'));
    await pass(50);
    assert.ok(bothUp(one, other)() === undefined, one.told.join());
    await pass(14);
    await eventually(() => (one.status(b).state === 'idle' && other.status(a).state === 'idle' ? undefined : `${one.status(b).state} and ${other.status(a).state}`));
    assert.ok([...one.told, ...other.told].some((line) => /no call is shared/.test(line)));
    assert.equal(network.asked.length, 1);
  });

  it('close in order when the bridge stops, and the other side tries again', async () => {
    const [one, other] = await pair();
    other.links.want(new Set([a]));
    const begunMs = performance.now();
    await one.links.close();
    assert.ok(performance.now() - begunMs < 1_000);
    assert.deepEqual(ups(one), ['up', 'down']);
    await eventually(() => (other.told.some((line) => /stopping/.test(line)) ? undefined : other.told.join()));
    assert.equal(one.links.send(b, call), false);
    one.links.want(new Set([b]));
    await sleep(20);
    assert.equal(other.sockets.size, 0);
    await eventually(() => (/status 503/.test(other.status(a).reason ?? '') ? undefined : other.status(a).reason), 5_000);
  });

  it('stop while they are being opened', async () => {
    const gate = Promise.withResolvers<undefined>();
    network.delay = () => gate.promise;
    const [one, other] = [await host(a), await host(b)];
    one.links.want(new Set([b]));
    await one.links.close();
    gate.resolve(undefined);
    await sleep(50);
    assert.equal(other.sockets.size, 0);
    assert.deepEqual(one.told, []);
  });

  it('give up an attempt that takes too long', async () => {
    const clock = virtualClock();
    network.delay = () => new Promise(() => undefined);
    const one = await host(a, { clock });
    one.links.want(new Set([b]));
    await sleep(5);
    assert.equal(one.status(b).state, 'opening');
    clock.advance(20_000);
    await eventually(() => (one.status(b).state === 'down' ? undefined : one.status(b).state));
    assert.match(one.status(b).reason ?? '', /not opened in time/);
  });

  const reasons: readonly (readonly [what: string, content: object, status: number, reason: RegExp, privateAddresses?: readonly string[]])[] = [
    ['the neighbour does not list us', { errcode: 'M_FORBIDDEN' }, 403, /must list this bridge among the neighbours/],
    ['there is no bridge', { errcode: 'M_UNRECOGNIZED' }, 404, /hands no requests to a bridge/],
    ['there is no common version', { errcode: 'FR_VIADUC_VERSION', error: 'x', versions: ['2.0', '3.1', '\u001b[31m'] }, 400, /ours 1\.0, theirs 2\.0, 3\.1: the older bridge must be updated/],
    ['the answer is nonsense', [], 200, /answers an introduction wrongly/],
    ['the key is too short', { version: '1.0', url: 'ws://127.0.0.1:1/cascade', key: 'x' }, 200, /key: /],
    ['the address holds a password', { version: '1.0', url: 'ws://u:p@127.0.0.1:1/cascade', key: 'k'.repeat(43) }, 200, /url: holds more than an address/],
    ['the address is of another kind', { version: '1.0', url: 'http://127.0.0.1:1/cascade', key: 'k'.repeat(43) }, 200, /url: /],
    ['another version was chosen', { version: '2.0', url: 'ws://127.0.0.1:1/cascade', key: 'k'.repeat(43) }, 200, /version that was not offered/],
    ['nobody is at the address', { version: '1.0', url: 'ws://127.0.0.1:1/cascade', key: 'k'.repeat(43) }, 200, /127\.0\.0\.1:1 is not reached: .*ECONNREFUSED/],
    ['the address is private, without TLS', { version: '1.0', url: 'ws://127.0.0.1:1/cascade', key: 'k'.repeat(43) }, 200, /without TLS, which is refused unless .* access\.privateAddresses/, []],
    ['the address is public, without TLS', { version: '1.0', url: 'ws://8.8.8.8:1/cascade', key: 'k'.repeat(43) }, 200, /without TLS/],
    ['the address is private, with TLS', { version: '1.0', url: 'wss://localhost:1/cascade', key: 'k'.repeat(43) }, 200, /localhost is at 127\.0\.0\.1, where the bridge may not ask/, []],
    ['the address is private in another spelling', { version: '1.0', url: 'wss://[::ffff:127.0.0.1]:1/cascade', key: 'k'.repeat(43) }, 200, /where the bridge may not ask/, []],
  ];
  for (const [what, content, status, reason, privateAddresses = ['127.0.0.0/8']] of reasons) {
    it(`say why there is none: ${what}`, async () => {
      network.of(b).answer('cascade/introduce', () => Promise.resolve({ status, content }));
      const one = await host(a, { privateAddresses });
      one.links.want(new Set([b]));
      await eventually(() => (one.status(b).reason === undefined ? 'a reason' : undefined));
      assert.match(one.status(b).reason ?? '', reason);
      assert.doesNotMatch(one.status(b).reason ?? '', /kkkk|\u001b/);
    });
  }

  it('say why there is none: something else answers at the address', async () => {
    const http = createServer((_request, response) => response.writeHead(418).end());
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const address = http.address();
    assert.ok(typeof address === 'object' && address !== null);
    const one = await host(a);
    await host(b, { publicUrl: `ws://127.0.0.1:${address.port}/cascade` });
    one.links.want(new Set([b]));
    await eventually(() => (/answers with status 418 instead of a WebSocket/.test(one.status(b).reason ?? '') ? undefined : (one.status(b).reason ?? 'a reason')));
    http.close();
  });

  it('go over TLS to whoever shows the certificate of the name, and to nobody else', async () => {
    const one = await host(a);
    let other: CascadeHost | undefined;
    await using tls = await tlsHost({
      names: ['visio.localhost'],
      answer: (_request, response) => response.writeHead(404).end(),
      upgrade: (request, socket, head) => other?.links.handleUpgrade(request, socket, head),
    });
    other = await host(b, { publicUrl: `wss://other.localhost:${tls.port}/cascade` });
    one.links.want(new Set([b]));
    await eventually(() => (/is not reached: .*(?:altnames|certificate)/i.test(one.status(b).reason ?? '') ? undefined : (one.status(b).reason ?? 'a reason')));
    hosts.pop();
    await other[Symbol.asyncDispose]();
    other = await host(b, { publicUrl: `wss://visio.localhost:${tls.port}/cascade` });
    await eventually(bothUp(one, other));
    one.links.send(b, call);
    const { received } = other;
    await eventually(() => (received.length === 1 ? undefined : 'the call'));
  });

  it('are never to a server that is no neighbour, nor to oneself', async () => {
    const other = await host(b);
    const one = await host(a, { neighbours: [a] });
    one.links.want(new Set([a, b]));
    await sleep(30);
    assert.equal(network.asked.length, 0);
    assert.deepEqual([one.links.status(), other.links.status().length], [[], 1]);
  });
});
