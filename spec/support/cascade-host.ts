// Owns the links of one bridge in a spec: on a loopback port of its own, with everything noted that they tell.
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createPeerLinks, type CascadeLinks } from '../../src/cascade/link-set.ts';
import type { CascadeLimits } from '../../src/cascade/limits.ts';
import type { ServerName } from '../../src/call/ids.ts';
import type { Clock, Random } from '../../src/control/ports/clock.ts';
import type { PeerListener, PeerMessage, PeerStatus } from '../../src/control/ports/peer-links.ts';
import { silentLogger, type Logger } from '../../src/log/logger.ts';
import { systemRandom } from '../../src/util/system.ts';
import { realClock } from './clocks.ts';
import type { IntroducerNetwork } from './memory-introducer.ts';

export interface CascadeHostOptions {
  readonly server: ServerName;
  readonly network: IntroducerNetwork;
  readonly neighbours: readonly ServerName[];
  readonly clock?: Clock;
  readonly random?: Random;
  readonly limits?: Partial<CascadeLimits>;
  readonly privateAddresses?: readonly string[];
  readonly publicUrl?: string;
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
  /** Links that the listener was told of and that are not down. */
  readonly up: Map<ServerName, number>;
  status(of: ServerName): PeerStatus;
}

export async function cascadeHost({ server, network, neighbours, clock = realClock, random = systemRandom, limits = {}, privateAddresses = ['127.0.0.0/8'], publicUrl, onMessage, log = silentLogger }: CascadeHostOptions): Promise<CascadeHost> {
  const http = createServer((_request, response) => response.writeHead(404).end());
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const url = `ws://127.0.0.1:${portOf(http)}/cascade`;
  const links = createPeerLinks({ server, neighbours, publicUrl: publicUrl ?? url, introducer: network.of(server), clock, random, log, privateAddresses, limits });
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
  };
  links.start(listener);
  return {
    links,
    url,
    server,
    told,
    received,
    sockets,
    up,
    status: (of) => links.status().find((status) => status.server === of) ?? { server: of, state: 'idle', roundTripMs: undefined, reason: 'unknown', queuedBytes: 0 },
    [Symbol.asyncDispose]: async () => {
      await links.close();
      http.close();
      http.closeAllConnections();
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('not listening');
  return address.port;
}
