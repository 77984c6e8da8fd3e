// Owns the proof that taken ports are named before anything starts.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { requireFreePorts } from '../../src/demo/ports.ts';

describe('requireFreePorts', () => {
  it('names each port that is taken, what wants it and what to do, and no other', async () => {
    const tcp = createServer().listen(0, '127.0.0.1');
    const udp = createSocket('udp4').bind(0, '127.0.0.1');
    await Promise.all([once(tcp, 'listening'), once(udp, 'listening')]);
    const address = tcp.address();
    assert.ok(typeof address === 'object' && address !== null);
    try {
      const wanted = [
        { port: address.port, use: 'homeserver', protocol: 'tcp' },
        { port: address.port, use: 'unrelated', protocol: 'udp' },
        { port: udp.address().port, use: 'media', protocol: 'udp' },
      ] as const;
      await assert.rejects(requireFreePorts(wanted, 'Choose others.'), {
        message: `These ports are in use by another program:\n  ${String(address.port)}/tcp (homeserver)\n  ${String(udp.address().port)}/udp (media)\nChoose others.`,
      });
      await requireFreePorts([wanted[1]], 'Choose others.');
    } finally {
      tcp.close();
      udp.close();
    }
  });
});
