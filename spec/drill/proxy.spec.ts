// Specifies the proxies of the drills: what they count is what passed, and what they cut does not pass.
import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import { median, percentile } from '../../src/drill/figures.ts';
import { FrontDoor } from '../../src/drill/proxy/front-door.ts';
import { MediaBorder } from '../../src/drill/proxy/media-border.ts';
import { WebSocketReader } from '../../src/drill/proxy/web-socket-frames.ts';
import { portOf } from '../support/call-host.ts';
import { eventually } from '../support/eventually.ts';
import { specBasePort } from '../support/run.ts';

const quietMs = 150;

describe('the front door of a drill', () => {
  let stack: AsyncDisposableStack;
  let door: FrontDoor;
  const texts: string[] = [];

  beforeEach(async () => {
    stack = new AsyncDisposableStack();
    texts.length = 0;
    const server = createServer((_request, response) => response.end('a page'));
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    stack.defer(() => {
      server.close();
      server.closeAllConnections();
      for (const client of sockets.clients) client.terminate();
    });
    door = stack.use(await FrontDoor.open({ host: '127.0.0.1', port: specBasePort() + 30, targetPort: portOf(server) }));
    const readers = new Map<string, WebSocketReader>();
    door.tap((connection, direction, bytes) => {
      const key = `${connection} ${direction}`;
      const reader = readers.get(key) ?? new WebSocketReader();
      readers.set(key, reader);
      // Frames come in any pieces: the first bytes one by one.
      const pieces = [...[...bytes.subarray(0, 50)].map((byte) => Buffer.from([byte])), bytes.subarray(50)];
      for (const piece of pieces) for (const text of reader.read(piece)) texts.push(`${direction} ${text}`);
    });
  });

  afterEach(() => stack.disposeAsync());

  const open = async (path: string): Promise<{ readonly ws: WebSocket; readonly heard: string[]; readonly closed: () => boolean }> => {
    const ws = new WebSocket(`ws://127.0.0.1:${specBasePort() + 30}${path}`);
    const heard: string[] = [];
    let isClosed = false;
    ws.on('message', (data) => heard.push(data instanceof Buffer ? data.toString() : ''));
    ws.on('error', () => undefined);
    ws.on('close', () => {
      isClosed = true;
    });
    stack.defer(() => ws.terminate());
    await new Promise<void>((resolve) => {
      ws.on('open', () => resolve());
      ws.on('close', () => resolve());
    });
    return { ws, heard, closed: () => isClosed };
  };
  const echoes = async ({ ws, heard }: { readonly ws: WebSocket; readonly heard: readonly string[] }, text: string): Promise<void> => {
    ws.send(text);
    await eventually(() => (heard.includes(text) ? undefined : 'no echo'));
  };

  it('reads the links of neighbours, short and long, in both directions', async () => {
    const link = await open('/cascade');
    const long = 'ü'.repeat(40_000);
    await echoes(link, 'hello');
    await echoes(link, long);
    assert.deepEqual(texts.filter((text) => !text.includes('HTTP')), ['toBridge hello', 'fromBridge hello', `toBridge ${long}`, `fromBridge ${long}`]);
    assert.equal(door.links, 1);
  });

  it('lets people through, whatever is done to links', async () => {
    door.set('silent');
    await echoes(await open('/rtc?access_token=x'), 'a person');
    assert.equal(await (await fetch(`http://127.0.0.1:${specBasePort() + 30}/c/page`)).text(), 'a page');
    assert.deepEqual(texts, []);
  });

  it('says nothing while it is silent, and carries what was sent when it is mended', async () => {
    const link = await open('/cascade');
    await echoes(link, 'before');
    door.set('silent');
    link.ws.send('during');
    await sleep(quietMs);
    assert.deepEqual(link.heard, ['before']);
    assert.equal(link.closed(), false);
    door.set('open');
    await eventually(() => (link.heard.includes('during') ? undefined : 'nothing came'));
  });

  it('opens nothing new while it is silent; who waits is served when it is mended', async () => {
    door.set('silent');
    const opening = open('/cascade');
    assert.equal(await Promise.race([opening.then(() => 'open'), sleep(quietMs, 'waiting')]), 'waiting');
    door.set('open');
    await echoes(await opening, 'late');
  });

  it('breaks links, old and new', async () => {
    const link = await open('/cascade');
    door.set('reset');
    await eventually(() => (link.closed() ? undefined : 'open'));
    assert.equal((await open('/cascade')).closed(), true);
    assert.equal(door.links, 0);
    door.set('open');
    await echoes(await open('/cascade'), 'again');
    assert.equal(door.mostLinks, 1);
  });
});

describe('the media border of a drill', () => {
  const [first, second] = [specBasePort() + 31, specBasePort() + 32];

  it('carries packets as from the announced address, counts them, and loses them when cut', async () => {
    await using stack = new AsyncDisposableStack();
    const border = stack.use(await MediaBorder.open([{ real: '127.0.0.1', announced: '127.0.0.21', firstPort: first, lastPort: first }, { real: '127.0.0.1', announced: '127.0.0.22', firstPort: second, lastPort: second }]));
    const [a, b] = [await bound(stack, first), await bound(stack, second)] as const;
    const heard: string[] = [];
    b.on('message', (packet, { address, port }) => heard.push(`${packet.toString()} ${address}:${port}`));
    a.send('one', second, '127.0.0.22');
    await eventually(() => (heard.length === 1 ? undefined : 'nothing came'));
    assert.deepEqual(heard, [`one 127.0.0.21:${first}`]);
    border.isCut = true;
    a.send('two', second, '127.0.0.22');
    await sleep(quietMs);
    assert.equal(heard.length, 1);
    assert.deepEqual([border.crossed(0, 1), border.crossed(1, 0)], [{ packets: 1, bytes: 3 }, { packets: 0, bytes: 0 }]);
  });

  it('counts apart what comes from nowhere', async () => {
    await using stack = new AsyncDisposableStack();
    const border = stack.use(await MediaBorder.open([{ real: '127.0.0.1', announced: '127.0.0.21', firstPort: first, lastPort: first }]));
    const stranger = await bound(stack, second);
    stranger.send('three', first, '127.0.0.21');
    await eventually(() => (border.strays === 1 ? undefined : 'not seen'));
  });
});

describe('the figures of a drill', () => {
  it('take the value that a share of the samples does not exceed', () => {
    assert.equal(percentile([4, 1, 3, 2], 0.95), 4);
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 3, 2]), 2);
    assert.ok(Number.isNaN(percentile([], 0.5)));
  });
});

async function bound(stack: AsyncDisposableStack, port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  stack.defer(() => {
    socket.close();
  });
  return socket;
}
