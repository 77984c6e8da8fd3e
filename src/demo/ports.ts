// Owns the question whether ports are free, asked before anything is started.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

export interface WantedPort {
  readonly port: number;
  /** Who wants it, in words. */
  readonly use: string;
  readonly protocol: 'tcp' | 'udp';
}

/** @throws naming each port that somebody else has. */
export async function requireFreePorts(wanted: readonly WantedPort[], advice: string): Promise<void> {
  const answers = await Promise.all(wanted.map(async (want) => ({ want, free: await isFree(want) })));
  const taken = answers.filter(({ free }) => !free).map(({ want }) => `  ${String(want.port)}/${want.protocol} (${want.use})`);
  if (taken.length > 0) throw new Error(`${taken.length === 1 ? 'This port is' : 'These ports are'} in use by another program:\n${taken.join('\n')}\n${advice}`);
}

async function isFree({ port, protocol }: WantedPort): Promise<boolean> {
  try {
    if (protocol === 'udp') {
      const socket = createSocket('udp4');
      socket.bind(port, '127.0.0.1');
      await once(socket, 'listening');
      await new Promise<void>((done) => socket.close(done));
    } else {
      const server = createServer().listen(port, '127.0.0.1');
      await once(server, 'listening');
      await new Promise((done) => server.close(done));
    }
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return false;
    throw error;
  }
}
