// Owns the links of one bridge in a spec: on a loopback port of its own, with everything noted that they tell.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { createPeerLinks, type CascadeLinks } from '../../src/cascade/link-set.ts';
import type { CascadeLimits } from '../../src/cascade/limits.ts';
import type { ServerName } from '../../src/call/ids.ts';
import type { Clock, Random } from '../../src/control/ports/clock.ts';
import type { PeerListener, PeerMessage, PeerStatus } from '../../src/control/ports/peer-links.ts';
import { refusalOf } from '../../src/http/http-error.ts';
import { silentLogger, type Logger } from '../../src/log/logger.ts';
import { background } from '../../src/util/background.ts';
import { systemRandom } from '../../src/util/system.ts';
import { realClock } from './clocks.ts';
import type { IntroducerNetwork } from './memory-introducer.ts';
import type { VouchingWorld } from './vouching-world.ts';

export interface CascadeHostOptions {
  readonly server: ServerName;
  readonly network: IntroducerNetwork;
  readonly neighbours: readonly ServerName[];
  readonly clock?: Clock;
  readonly random?: Random;
  readonly limits?: Partial<CascadeLimits>;
  readonly privateAddresses?: readonly string[];
  readonly publicUrl?: string;
  /** Where its address is published; left out: there is no second means. */
  readonly world?: VouchingWorld;
  readonly acceptsAny?: boolean;
  /** What happens on each message, besides being noted. */
  readonly onMessage?: (message: PeerMessage, links: CascadeLinks) => void;
  readonly log?: Logger;
}

export interface CascadeHost extends AsyncDisposable {
  readonly links: CascadeLinks;
  readonly url: string;
  readonly server: ServerName;
  /** In order: `up finances…`, `down finances…: why`, `call finances…`. */
  readonly told: string[];
  readonly received: PeerMessage[];
  /** Connections that came in and are still there. */
  readonly sockets: ReadonlySet<Socket>;
  /** What was posted to it: path and body. */
  readonly posted: { readonly path: string; readonly body: Readonly<Record<string, unknown>> }[];
  /** Links that the listener was told of and that are not down. */
  readonly up: Map<ServerName, number>;
  status(of: ServerName): PeerStatus;
}

export async function cascadeHost({ server, network, neighbours, clock = realClock, random = systemRandom, limits = {}, privateAddresses = ['127.0.0.0/8'], publicUrl, world, acceptsAny = false, onMessage, log = silentLogger }: CascadeHostOptions): Promise<CascadeHost> {
  const posted: CascadeHost['posted'] = [];
  const http = createServer((request, response) => {
    background(log, 'answer', answer(request, response, links, posted));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const url = `ws://127.0.0.1:${portOf(http)}/cascade`;
  world?.published.set(server, new URL(`http://127.0.0.1:${portOf(http)}`));
  const links = createPeerLinks({ server, neighbours, acceptsAny, ...(world !== undefined && { vouching: world.of(server) }), publicUrl: publicUrl ?? url, introducer: network.of(server), clock, random, log, privateAddresses, limits });
  const sockets = new Set<Socket>();
  http.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  http.on('upgrade', (request, socket, head) => {
    if (!links.handleUpgrade(request, socket, head)) socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
  const told: string[] = [];
  const received: PeerMessage[] = [];
  const up = new Map<ServerName, number>();
  const listener: PeerListener = {
    linkUp: (peer) => {
      told.push(`up ${peer}`);
      up.set(peer, (up.get(peer) ?? 0) + 1);
    },
    linkDown: (peer, reason) => {
      told.push(`down ${peer}: ${reason}`);
      up.set(peer, (up.get(peer) ?? 0) - 1);
    },
    received: (peer, message) => {
      told.push(`${message.type} ${peer}`);
      received.push(message);
      onMessage?.(message, links);
    },
    notFound: (peer) => void told.push(`not found ${peer}`),
  };
  links.start(listener);
  return {
    links,
    url,
    server,
    told,
    received,
    sockets,
    posted,
    up,
    status: (of) => links.status().find((status) => status.server === of) ?? { server: of, state: 'idle', roundTripMs: undefined, reason: 'unknown', queuedBytes: 0 },
    [Symbol.asyncDispose]: async () => {
      await links.close();
      http.close();
      http.closeAllConnections();
    },
  };
}

/** As the public listener does; "x-source" stands for the address. */
async function answer(request: IncomingMessage, response: ServerResponse, links: CascadeLinks, posted: CascadeHost['posted']): Promise<void> {
  const body = z.record(z.string(), z.unknown()).parse(JSON.parse((await text(request)) || '{}'));
  const path = request.url ?? '';
  posted.push({ path, body });
  const route = links.routes.find((each) => each.path === path && each.method === request.method);
  const source = z.string().default('127.0.0.1').parse(request.headers['x-source']);
  const result = await route?.run({ params: {}, body, bearer: undefined, source, signal: AbortSignal.timeout(10_000) });
  const { status, body: content } = result === undefined ? { status: 404, body: {} } : result.ok ? { status: 200, body: result.value ?? {} } : refusalOf(result.error, silentLogger);
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content));
}

function portOf(server: Server): number {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('not listening');
  return address.port;
}
