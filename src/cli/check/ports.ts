// Owns the question whether a port can be opened on this machine now.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** undefined: it can; otherwise why not. */
export async function tcpFault(host: string, port: number): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const server = createServer();
  server.once('error', (error) => {
    resolve(error.message);
  });
  server.listen(port, host, () => {
    server.close(() => {
      resolve(undefined);
    });
  });
  return promise;
}

/** As tcpFault. */
export async function udpFault(host: string, port: number): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.once('error', (error) => {
    socket.close();
    resolve(error.message);
  });
  socket.bind(port, host, () => {
    socket.close(() => {
      resolve(undefined);
    });
  });
  return promise;
}
