// Owns a small HTTPS server of a spec: its names, what it was asked, how many connections came.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import type { Duplex } from 'node:stream';
import { join } from 'node:path';
import tls from 'node:tls';
import { ensureCertificates } from '../../src/demo/homeservers/certificate-authority.ts';

export interface TlsHost extends AsyncDisposable {
  readonly port: number;
  /** Host header, server name of the handshake and path of each request. */
  readonly asked: { readonly host: string | undefined; readonly servername: string | false | undefined; readonly path: string | undefined }[];
  /** TCP connections, whatever came of them. */
  connections(): number;
}

export interface TlsHostOptions {
  /** In the certificate; 127.0.0.1 is always in it. */
  readonly names: readonly string[];
  readonly address?: string;
  readonly answer: (request: IncomingMessage, response: ServerResponse) => void;
  readonly upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** From here on this process trusts the certificate's authority. */
export async function tlsHost({ names, address = '127.0.0.1', answer, upgrade }: TlsHostOptions): Promise<TlsHost> {
  const folder = mkdtempSync(join(tmpdir(), 'viaduc-tls-'));
  const certificates = await ensureCertificates(folder, names);
  const [authority, certificate, key] = [certificates.authority, certificates.certificate, certificates.key].map((path) => readFileSync(path, 'utf8'));
  rmSync(folder, { recursive: true });
  if (authority === undefined || certificate === undefined || key === undefined) throw new Error('no certificate was made');
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), authority]);
  const asked: TlsHost['asked'] = [];
  let connections = 0;
  const sockets = new Set<Socket>();
  const server: Server = createServer({ cert: certificate, key }, (request, response) => {
    const servername = request.socket instanceof tls.TLSSocket ? servernameOf(request.socket) : undefined;
    asked.push({ host: request.headers.host, servername, path: request.url });
    answer(request, response);
  });
  if (upgrade !== undefined) server.on('upgrade', upgrade);
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  server.once('error', reject);
  server.listen(0, address, () => resolve(undefined));
  await promise;
  return {
    port: portOf(server.address()),
    asked,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => {
      const closed = Promise.withResolvers<undefined>();
      server.close(() => closed.resolve(undefined));
      for (const socket of sockets) socket.destroy();
      await closed.promise;
    },
  };
}

/** What the handshake named; false: nothing. Not in the type of the socket. */
function servernameOf(socket: tls.TLSSocket): string | false | undefined {
  const value: unknown = Reflect.get(socket, 'servername');
  return typeof value === 'string' || value === false ? value : undefined;
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return address.port;
}
