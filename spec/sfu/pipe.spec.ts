// Pipes on real mediasoup workers: their addresses and ports, and what the operator is told.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { silentLogger } from '../../src/log/logger.ts';
import { createMediaPlane, type ClosableMediaPlane } from '../../src/sfu/media-plane.ts';
import type { PipeSettings } from '../../src/sfu/pipe.ts';
import type { CallMedia } from '../../src/control/ports/media-plane.ts';
import { mediaPipeConformance } from '../ports/media-pipe.ts';
import { callId, serverName } from '../support/builders.ts';
import { eventually } from '../support/eventually.ts';
import { specBasePort } from '../support/run.ts';
import { workerBinary } from '../support/worker-binary.ts';

const finances = serverName('finances.example.org');
const defense = serverName('defense.example.org');
const firstPort = specBasePort() + 50;

describe('A pipe', () => {
  let plane: ClosableMediaPlane | undefined;
  const start = async (pipes: Partial<PipeSettings> | 'none' = {}): Promise<ClosableMediaPlane> => {
    plane = await createMediaPlane({
      workerBinary: workerBinary(), workers: 2, listenIp: '127.0.0.1', announcedAddress: undefined, firstPort: specBasePort() + 41, iceTcp: false,
      initialOutgoingBitrateKbps: 1_000, maxIncomingBitrateKbps: 0, log: silentLogger,
      ...(pipes !== 'none' && { pipes: { listenIp: '127.0.0.1', announcedAddress: undefined, firstPort, lastPort: firstPort + 3, ...pipes } }),
    });
    return plane;
  };
  const current = (): ClosableMediaPlane => plane ?? assert.fail('no media plane was started');
  const open = (id = 'C_pipes000', mediaLost: () => void = () => undefined): Promise<CallMedia> => current().open(callId(id), { speakersChanged: () => undefined, demandChanged: () => undefined, mediaLost });

  afterEach(async () => {
    await plane?.close();
    plane = undefined;
  });

  describe('as a port', () => {
    beforeEach(async () => {
      await start();
    });
    mediaPipeConformance('mediasoup', current);
  });

  it('uses a port of its own within the range, whichever worker it is on', async () => {
    await start();
    const calls = [await open('C_worker00'), await open('C_worker01')];
    const pipes = await Promise.all(calls.flatMap((call) => [call.pipe(finances), call.pipe(defense)]));
    assert.deepEqual(pipes.map(({ local }) => local.port).sort(), [0, 1, 2, 3].map((offset) => firstPort + offset));
    assert.deepEqual([...new Set(pipes.map(({ local }) => local.address))], ['127.0.0.1']);
  });

  it('says which ports are taken, and works again when one is free', async () => {
    await start({ lastPort: firstPort });
    const taken = createSocket('udp4');
    taken.bind(firstPort, '127.0.0.1');
    await once(taken, 'listening');
    const call = await open();
    try {
      await assert.rejects(call.pipe(finances), new RegExp(`no media pipe to ${finances}: UDP port ${firstPort} cannot be opened on 127\\.0\\.0\\.1: .*allow more of them`));
    } finally {
      taken.close();
      await once(taken, 'close');
    }
    assert.equal((await call.pipe(finances)).local.port, firstPort);
    await assert.rejects(call.pipe(defense), /cannot be opened/);
  });

  it('announces another address than it listens on', async () => {
    await start({ announcedAddress: '203.0.113.7' });
    assert.equal((await (await open()).pipe(finances)).local.address, '203.0.113.7');
  });

  it('refuses an address that nobody can send to', async () => {
    for (const address of ['0.0.0.0', 'media.example.org']) {
      await start(address === '0.0.0.0' ? { listenIp: address } : { announcedAddress: address });
      await assert.rejects((await open()).pipe(finances), new RegExp(`cannot send media to "${address}": set the announced address`));
      await current().close();
    }
  });

  it('does not exist where none is configured', async () => {
    await start('none');
    await assert.rejects((await open()).pipe(finances), /no address and ports for it are configured/);
  });

  it('is lost with its worker', async () => {
    await start();
    let lost = false;
    const call = await open('C_pipes000', () => {
      lost = true;
    });
    const pipe = await call.pipe(finances);
    const { workers } = await current().snapshot();
    process.kill(workers.find(({ routers }) => routers > 0)?.pid ?? assert.fail('no worker is busy'), 'SIGKILL');
    await eventually(() => (lost ? undefined : 'nobody was told'));
    assert.ok(pipe.closed);
    assert.equal((await pipe.stats()).bytesSent, 0);
    await assert.rejects(call.pipe(finances), /is closed/);
  });
});
