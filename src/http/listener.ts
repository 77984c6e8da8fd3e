// Owns one HTTP listener: opens it, limits it, closes it without leaving anybody hanging.
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Duplex } from 'node:stream';

export interface ListenerOptions {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly handle: RequestListener;
  readonly upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

export interface Listener {
  /** Post: no connection is open. Requests under way get a moment to end. */
  close(): Promise<void>;
}

const closeGraceMs = 1000;

/** @throws Error in words when the address is taken or not ours */
export async function openListener({ name, host, port, handle, upgrade }: ListenerOptions): Promise<Listener> {
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000, maxHeaderSize: 16 * 1024, keepAliveTimeout: 65_000 }, handle);
  server.maxHeadersCount = 100;
  if (upgrade !== undefined) server.on('upgrade', upgrade);
  await listen(server, { name, host, port });
  return {
    close: async () => {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      server.close(() => {
        resolve(undefined);
      });
      server.closeIdleConnections();
      const force = setTimeout(() => {
        server.closeAllConnections();
      }, closeGraceMs);
      await promise;
      clearTimeout(force);
    },
  };
}

async function listen(server: Server, { name, host, port }: { readonly name: string; readonly host: string; readonly port: number }): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  server.once('error', (error: NodeJS.ErrnoException) => {
    const why = error.code === 'EADDRINUSE' ? 'another program listens there: stop it, or choose another port' : error.code === 'EADDRNOTAVAIL' ? 'this machine has no such address' : error.code === 'EACCES' ? 'the system does not allow it: choose a port above 1023' : error.message;
    reject(new Error(`the ${name} listener cannot open ${host}:${port}: ${why}`, { cause: error }));
  });
  server.listen(port, host, () => {
    resolve(undefined);
  });
  await promise;
}
