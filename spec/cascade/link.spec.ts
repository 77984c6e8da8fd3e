// Owns the proof that a neighbour that breaks the protocol, floods, sleeps or lies loses its link, and only that.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { Introducer } from '../../src/control/ports/introducer.ts';
import type { PeerMessage } from '../../src/control/ports/peer-links.ts';
import { silentLogger, type Logger } from '../../src/log/logger.ts';
import { alice, serverName, theRoom } from '../support/builders.ts';
import { cascadeHost, type CascadeHost, type CascadeHostOptions } from '../support/cascade-host.ts';
import { virtualClock } from '../support/clocks.ts';
import { eventually } from '../support/eventually.ts';
import { IntroducerNetwork } from '../support/memory-introducer.ts';
import { anyLimits, invite, RawLink } from '../support/raw-link.ts';

const us = serverName('interieur.example.org');
const them = serverName('finances.example.org');
const stranger = serverName('stranger.example.org');
const call: PeerMessage = { type: 'call', room: theRoom, startedBy: alice, startedAtMs: 1_000, owner: us, term: 0 };
const wireLeave = { type: 'leave', room: theRoom };

describe('a link, to a neighbour that is not as it should be', () => {
  let network: IntroducerNetwork;
  let theirs: Introducer;
  let bridge: CascadeHost;
  const links: RawLink[] = [];
  const logged: string[] = [];
  const log: Logger = { ...silentLogger, child: () => log, warn: (message, keys) => void logged.push(`${message} ${JSON.stringify(keys)}`), info: (message, keys) => void logged.push(`${message} ${JSON.stringify(keys)}`) };

  const start = async (options: Partial<CascadeHostOptions> = {}): Promise<void> => {
    network = new IntroducerNetwork();
    theirs = network.of(them);
    bridge = await cascadeHost({ server: us, network, neighbours: [them], log, ...options });
  };
  const open = async (): Promise<RawLink> => {
    const link = await RawLink.open(await invite(theirs, us), them);
    links.push(link);
    return link;
  };
  const opened = async (hello: Readonly<Record<string, unknown>> = {}): Promise<RawLink> => {
    const link = await open();
    link.hello(hello);
    await eventually(() => (bridge.status(them).state === 'up' ? undefined : 'the link'), 2_000);
    return link;
  };
  afterEach(async () => {
    for (const link of links.splice(0)) link.ws.terminate();
    await bridge[Symbol.asyncDispose]();
    logged.length = 0;
  });

  describe('at the door', () => {
    beforeEach(() => start());

    it('takes a key once', async () => {
      const invitation = await invite(theirs, us);
      links.push(await RawLink.open(invitation, them));
      await assert.rejects(RawLink.open(invitation, them), /HTTP 401/);
      assert.doesNotMatch(logged.join(), new RegExp(invitation.key));
    });

    it('takes no other key', async () => {
      const { url, key } = await invite(theirs, us);
      for (const wrong of ['x', 'A'.repeat(43), key.slice(0, -1), `${key}x`]) await assert.rejects(RawLink.open({ url, key: wrong }, them), /HTTP 401/);
      for (const authorization of [undefined, '', 'Bearer', `Basic ${key}`]) {
        const ws = new WebSocket(url, 'viaduc.cascade.1', { headers: authorization === undefined ? {} : { authorization } });
        const status = await new Promise((resolve) => ws.once('unexpected-response', (request, response) => {
          resolve(response.statusCode);
          request.destroy();
        }));
        assert.equal(status, 401);
      }
      links.push(await RawLink.open({ url, key }, them));
    });

    it('speaks no other protocol, and keeps the key good', async () => {
      const invitation = await invite(theirs, us);
      await assert.rejects(RawLink.open(invitation, them, 'viaduc.cascade.2'), /HTTP 400/);
      await assert.rejects(RawLink.open(invitation, them, 'chat'), /HTTP 400/);
      assert.match(logged.join(), /viaduc\.cascade\.1.*viaduc\.cascade\.2/);
      links.push(await RawLink.open(invitation, them));
    });

    it('leaves other paths to others, and takes prefixes', async () => {
      const { url, key } = await invite(theirs, us);
      for (const path of ['/cascades', '/cascade/x', '/', '/xcascade', '/rtc']) await assert.rejects(RawLink.open({ url: url.replace('/cascade', path), key }, them), /HTTP 404/, path);
      links.push(await RawLink.open({ url: url.replace('/cascade', '/visio/cascade?x=y'), key }, them));
    });
  });

  it('takes no key after 30 seconds', async () => {
    const clock = virtualClock();
    await start({ clock });
    const [old, good] = [await invite(theirs, us), await invite(theirs, us)];
    clock.advance(29_999);
    links.push(await RawLink.open(good, them));
    clock.advance(1);
    await assert.rejects(RawLink.open(old, them), /HTTP 401/);
  });

  describe('before the hellos', () => {
    it('says hello, and nothing else', async () => {
      await start();
      const link = await open();
      await sleep(50);
      assert.deepEqual(link.frames, [{ type: 'hello', version: '1.0', serverName: us, limits: { people: 500, tracksPerPerson: 12, framesPerSecond: 400, bytesPerSecond: 2_097_152 } }]);
      assert.equal(bridge.links.send(them, call), false);
      assert.deepEqual(bridge.told, []);
    });

    const greetings: readonly (readonly [what: string, frames: readonly object[], code: string])[] = [
      ['another server\'s hello', [{ type: 'hello', version: '1.0', serverName: stranger, limits: anyLimits }], 'forbidden'],
      ['our own name', [{ type: 'hello', version: '1.0', serverName: us, limits: anyLimits }], 'forbidden'],
      ['an unknown major version', [{ type: 'hello', version: '2.0', serverName: them, limits: anyLimits }], 'version'],
      ['no version', [{ type: 'hello', version: 'latest', serverName: them, limits: anyLimits }], 'version'],
      ['a hello without limits', [{ type: 'hello', version: '1.0', serverName: them }], 'protocolError'],
      ['a frame before hello', [wireLeave], 'protocolError'],
      ['a second hello', [{ type: 'hello', version: '1.0', serverName: them, limits: anyLimits }, { type: 'hello', version: '1.0', serverName: them, limits: anyLimits }], 'protocolError'],
    ];
    for (const [what, frames, code] of greetings) {
      it(`refuses ${what}: ${code}`, async () => {
        await start();
        const link = await open();
        for (const frame of frames) link.send(frame);
        assert.equal(await link.bye(), code);
        assert.deepEqual(bridge.received, []);
        await eventually(() => (bridge.sockets.size === 0 ? undefined : 'an open connection'));
      });
    }

    it('names both versions in the log', async () => {
      await start();
      const link = await open();
      link.hello({ version: '7.1' });
      assert.equal(await link.bye(), 'version');
      assert.match(logged.join(), /link ended before it was up .*7\.1.*1\.0/);
    });

    it('takes a newer minor version, frames that it does not know, and members that it does not know', async () => {
      await start();
      const link = await opened({ version: '1.9', future: true });
      link.send({ type: 'fromTheFuture', x: 1 });
      link.send({ ...wireLeave, future: { a: [] } });
      await eventually(() => (bridge.received.length === 1 ? undefined : 'the message'));
      assert.deepEqual(bridge.received, [{ type: 'leave', room: theRoom }]);
      assert.equal(bridge.status(them).state, 'up');
    });

    it('waits six seconds for a hello', async () => {
      const clock = virtualClock();
      await start({ clock });
      const link = await open();
      for (let index = 0; index < 5; index += 1) {
        link.ws.ping();
        await sleep(10);
        clock.advance(1_199);
      }
      assert.equal(link.closedWith, undefined);
      link.ws.ping();
      await sleep(10);
      clock.advance(10);
      assert.equal(await link.bye(), 'timeout');
    });
  });

  describe('in its frames', () => {
    const garbage: readonly (readonly [what: string, data: string | Buffer])[] = [
      ['no JSON', '{"type":"leave"'],
      ['no object', '[1]'],
      ['null', 'null'],
      ['no type', '{}'],
      ['a type that is no text', '{"type":1}'],
      ['a room that is none', '{"type":"leave","room":"#a:b.example"}'],
      ['a missing member', '{"type":"end","room":"!r:x.example"}'],
      ['a binary frame', Buffer.from('{"type":"leave","room":"!r:x.example"}')],
    ];
    for (const [what, data] of garbage) {
      it(`refuses ${what}`, async () => {
        await start();
        const link = await opened();
        link.ws.send(data);
        link.send(wireLeave);
        assert.equal(await link.bye(), 'protocolError');
        assert.deepEqual(bridge.received, []);
        assert.deepEqual(bridge.told.map((line) => line.split(' ')[0]), ['up', 'down']);
        assert.deepEqual(bridge.status(them).refusals, { protocolError: 1 });
      });
    }

    it('refuses a frame of more than 262,144 bytes, and takes one of that size', async () => {
      await start();
      const link = await opened();
      const frame = (sizeBytes: number) => JSON.stringify({ ...wireLeave, x: 'x'.repeat(sizeBytes - JSON.stringify({ ...wireLeave, x: '' }).length) });
      link.ws.send(frame(262_144));
      await eventually(() => (bridge.received.length === 1 ? undefined : 'the large frame'));
      link.ws.send(frame(262_145));
      await eventually(() => (link.closedWith === undefined ? 'open' : undefined));
      assert.equal(link.closedWith, 1009);
      await eventually(() => (bridge.status(them).state === 'up' ? 'up' : undefined));
    });

    it('refuses broken UTF-8', async () => {
      await start();
      const link = await opened();
      link.ws.send(Buffer.from([0x22, 0xff, 0x22]), { binary: false });
      await eventually(() => (link.closedWith === undefined ? 'open' : undefined));
      assert.equal(link.closedWith, 1007);
    });

    it('leaves out people and tracks over its limits, and keeps the link', async () => {
      await start({ limits: { people: 2, tracksPerPerson: 1 } });
      const link = await opened();
      const track = (id: string) => ({ id, kind: 'audio', source: 'microphone', name: '', stream: '', muted: false, width: 0, height: 0, encryption: 'none', layers: [], audioFeatures: [] });
      const person = (id: string) => ({ id, user: '@bob:finances.example.org', device: 1, name: 'Bob', joinedAt: 1, active: true, metadata: '', attributes: {}, tracks: [track('TR_1111'), track('TR_2222')] });
      link.send({ type: 'people', room: theRoom, people: [person('PA_1111'), person('PA_2222'), person('PA_3333')] });
      link.send({ type: 'person', room: theRoom, person: person('PA_4444') });
      await eventually(() => (bridge.received.length === 2 ? undefined : 'both'));
      const counts = bridge.received.map((message) => (message.type === 'people' ? message.people : message.type === 'person' ? [message.person] : []).map(({ tracks }) => tracks.length));
      assert.deepEqual(counts, [[1, 1], [1]]);
      assert.match(logged.join('\n'), /more than we take: left out .*"leftOut":5/);
      assert.deepEqual(bridge.status(them).refusals, { overLimit: 6 });
    });

    it('sends no media where the operator does not allow it', async () => {
      await start();
      const link = await opened();
      const media = (address: string) => ({ type: 'media', room: theRoom, address, port: 40_001, srtp: { suite: 'AEAD_AES_256_GCM', key: `${'A'.repeat(59)}=` } });
      for (const address of ['10.0.0.1', '169.254.169.254', '::1', '::ffff:10.0.0.1', '127.0.0.1', '8.8.8.8', '2606:4700::1111']) link.send(media(address));
      link.send(wireLeave);
      await eventually(() => (bridge.received.some(({ type }) => type === 'leave') ? undefined : 'all'));
      assert.deepEqual(bridge.received.flatMap((message) => (message.type === 'media' ? [message.address] : [])), ['127.0.0.1', '8.8.8.8', '2606:4700::1111']);
      assert.deepEqual(bridge.status(them).refusals, { mediaAddress: 4 });
      assert.equal(logged.filter((line) => line.includes('media address')).length, 1);
    });

    it('takes its farewell, and says why in words of one line', async () => {
      await start();
      const link = await opened();
      link.send({ type: 'bye', code: 'fromTheFuture', text: 'tired\n\u001b[31mred' });
      link.send(wireLeave);
      await eventually(() => (link.closedWith === undefined ? 'open' : undefined));
      assert.equal(link.closedWith, 1000);
      assert.deepEqual(bridge.told, [`up ${them}`, `down ${them}: the other side: other: tired [31mred`]);
    });
  });

  describe('in its pace', () => {
    it('refuses a flood of frames, not what it has allowed', async () => {
      const clock = virtualClock();
      await start({ clock, limits: { framesPerSecond: 20 } });
      const link = await opened();
      // The hello and one pong count as well.
      for (let index = 0; index < 95; index += 1) link.send(wireLeave);
      await eventually(() => (bridge.received.length === 95 ? undefined : `${bridge.received.length}`));
      assert.equal(bridge.status(them).state, 'up');
      for (let index = 0; index < 6; index += 1) link.send(wireLeave);
      assert.equal(await link.bye(), 'flood');
      assert.ok(bridge.received.length < 101);
    });

    it('allows again what it allowed five seconds ago', async () => {
      const clock = virtualClock();
      await start({ clock, limits: { framesPerSecond: 20, silentAfterMs: 60_000 } });
      const link = await opened();
      for (let round = 1; round <= 3; round += 1) {
        for (let index = 0; index < 80; index += 1) link.send(wireLeave);
        await eventually(() => (bridge.received.length === 80 * round ? undefined : `${bridge.received.length}`));
        clock.advance(5_000);
      }
      assert.equal(bridge.status(them).state, 'up');
    });

    it('refuses a flood of pings', async () => {
      await start({ limits: { framesPerSecond: 20 } });
      const link = await opened();
      for (let index = 0; index < 200; index += 1) link.ws.ping();
      assert.equal(await link.bye(), 'flood');
    });

    it('refuses a flood of bytes', async () => {
      await start({ limits: { bytesPerSecond: 100_000 } });
      const link = await opened();
      for (let index = 0; index < 10; index += 1) link.send({ ...wireLeave, x: 'x'.repeat(100_000) });
      assert.equal(await link.bye(), 'flood');
      assert.ok(bridge.received.length <= 5);
    });

    it('lets others have their turn between two frames, however many came at once', async () => {
      let turn = 0;
      let counting = true;
      const next = () => {
        turn += 1;
        if (counting) setImmediate(next);
      };
      next();
      const turns: number[] = [];
      await start({ onMessage: () => turns.push(turn) });
      const link = await opened();
      for (let index = 0; index < 100; index += 1) link.send({ ...wireLeave, x: 'x'.repeat(index % 10 === 0 ? 60_000 : 10) });
      await eventually(() => (turns.length === 100 ? undefined : `${turns.length}`));
      counting = false;
      assert.equal(new Set(turns).size, 100);
    });

    it('sends no faster than half of what the neighbour takes', async () => {
      const clock = virtualClock();
      await start({ clock, limits: { silentAfterMs: 1_000_000 } });
      const link = await opened({ limits: { ...anyLimits, framesPerSecond: 20 } });
      for (let index = 0; index < 120; index += 1) assert.equal(bridge.links.send(them, { ...call, startedAtMs: index }), true);
      const calls = () => link.frames.filter(({ type }) => type === 'call');
      const settle = async () => {
        await sleep(50);
        return calls().length;
      };
      assert.equal(await settle(), 50);
      assert.ok(bridge.status(them).queuedBytes > 70 * 90);
      clock.advance(4_000);
      assert.equal(await settle(), 50);
      clock.advance(2_000);
      assert.equal(await settle(), 100);
      clock.advance(6_000);
      assert.equal(await settle(), 120);
      assert.deepEqual(calls().map(({ startedAt }) => startedAt), Array.from({ length: 120 }, (_, index) => index));
      assert.equal(bridge.status(them).queuedBytes, 0);
    });

    it('gives up a neighbour that does not read, at 8 MiB', async () => {
      await start();
      const link = await opened();
      link.ws.pause();
      const large: PeerMessage = { type: 'ticketAnswer', request: 1, answer: { url: 'wss://x.example', ticket: 'x'.repeat(16_000) } };
      let sent = 0;
      let mostBytes = 0;
      while (bridge.links.send(them, large)) {
        sent += 1;
        mostBytes = Math.max(mostBytes, bridge.status(them).queuedBytes);
        if (sent % 50 === 0) await sleep(1);
        if (sent > 10_000) assert.fail('nothing is bounded');
      }
      assert.ok(mostBytes <= 8 * 1024 * 1024, `${mostBytes} bytes waited`);
      assert.ok(mostBytes > 7 * 1024 * 1024);
      assert.match(bridge.told.at(-1) ?? '', /down .* bytes waited to be sent/);
      await eventually(() => (bridge.sockets.size === 0 ? undefined : 'an open connection'), 1_000);
      assert.equal(bridge.status(them).queuedBytes, 0);
    });
  });

  describe('in its silence', () => {
    it('is given up after six seconds, not before', async () => {
      const clock = virtualClock();
      await start({ clock });
      const link = await opened();
      await sleep(20);
      link.ws.pause();
      for (let index = 0; index < 5; index += 1) {
        clock.advance(1_199);
        await sleep(5);
      }
      assert.equal(bridge.status(them).state, 'up');
      clock.advance(10);
      assert.match(bridge.told.at(-1) ?? '', /down .*nothing was heard for 6 s/);
      await eventually(() => (bridge.sockets.size === 0 ? undefined : 'an open connection'), 1_000);
    });

    it('is kept while it answers pings', async () => {
      const clock = virtualClock();
      await start({ clock });
      const link = await opened();
      for (let index = 0; index < 30; index += 1) {
        clock.advance(2_000);
        await sleep(10);
      }
      assert.equal(bridge.status(them).state, 'up');
      assert.equal(link.closedWith, undefined);
    });

    it('is given up in real time as well', async () => {
      await start({ limits: { pingEveryMs: 50, silentAfterMs: 200 } });
      const link = await opened();
      await sleep(400);
      assert.equal(bridge.status(them).state, 'up');
      link.ws.pause();
      await eventually(() => (bridge.status(them).state === 'up' ? 'still up' : undefined), 600);
    });
  });
});
