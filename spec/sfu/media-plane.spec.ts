// The media plane on real mediasoup workers.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { silentLogger } from '../../src/log/logger.ts';
import { createMediaPlane, type ClosableMediaPlane, type MediaPlaneOptions } from '../../src/sfu/media-plane.ts';
import { mediaPlaneConformance } from '../ports/media-plane.ts';
import { callId, participantId, trackId } from '../support/builders.ts';
import { eventually } from '../support/eventually.ts';
import { opusParameters, silentListener } from '../support/media.ts';
import { specBasePort } from '../support/run.ts';
import { workerBinary } from '../support/worker-binary.ts';

const quiet = { speakersChanged: () => undefined, mediaLost: () => undefined, demandChanged: () => undefined };
const options = (change: Partial<MediaPlaneOptions> = {}): MediaPlaneOptions => ({
  workerBinary: workerBinary(),
  workers: 2,
  listenIp: '127.0.0.1',
  announcedAddress: undefined,
  firstPort: specBasePort() + 41,
  iceTcp: true,
  initialOutgoingBitrateKbps: 1_000,
  maxIncomingBitrateKbps: 10_000,
  log: silentLogger,
  ...change,
});

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function busyPid(plane: ClosableMediaPlane): Promise<number> {
  const { workers } = await plane.snapshot();
  return workers.find(({ routers }) => routers > 0)?.pid ?? 0;
}

describe('The media plane', () => {
  let plane: ClosableMediaPlane | undefined;
  const start = async (change: Partial<MediaPlaneOptions> = {}): Promise<ClosableMediaPlane> => {
    plane = await createMediaPlane(options(change));
    return plane;
  };
  const current = (): ClosableMediaPlane => plane ?? assert.fail('no media plane was started');

  afterEach(async () => {
    await plane?.close();
    plane = undefined;
  });

  describe('as a port', () => {
    beforeEach(async () => {
      await start();
    });
    mediaPlaneConformance('mediasoup', () => ({
      plane: current(),
      crash: async () => {
        const pid = await busyPid(current());
        process.kill(pid, 'SIGKILL');
        await eventually(() => (runs(pid) ? 'the worker still runs' : undefined));
      },
    }));
  });

  it('leaves no process behind, however often it is closed', async () => {
    const { workers } = await (await start()).snapshot();
    assert.equal(workers.length, 2);
    await Promise.all([current().close(), current().close()]);
    assert.deepEqual(workers.filter(({ pid }) => runs(pid)), []);
  });

  it('leaves the signals of the process to the process', async () => {
    const listeners = (): number => process.listenerCount('SIGTERM') + process.listenerCount('SIGINT');
    const ours = (): void => undefined;
    process.on('SIGTERM', ours);
    const before = listeners();
    await start();
    assert.equal(listeners(), before);
    await current().close();
    assert.equal(listeners(), before);
    process.removeListener('SIGTERM', ours);
  });

  it('puts calls on the least loaded worker', async () => {
    await start();
    const first = await current().open(callId('C_first000'), quiet);
    await current().open(callId('C_second00'), quiet);
    const routers = async (): Promise<readonly number[]> => (await current().snapshot()).workers.map((worker) => worker.routers);
    assert.deepEqual(await routers(), [1, 1]);
    first.close();
    await current().open(callId('C_third000'), quiet);
    assert.deepEqual(await routers(), [1, 1]);
  });

  it('uses one port per worker, UDP and TCP', async () => {
    await start();
    const { publisher } = await (await current().open(callId('C_ports000'), quiet)).endpoint(participantId('PA_alice'), silentListener);
    assert.deepEqual(publisher.iceCandidates.map(({ protocol, port }) => `${protocol} ${port}`).sort(), [`tcp ${specBasePort() + 41}`, `udp ${specBasePort() + 41}`]);
  });

  it('announces another address than it listens on, and no TCP when told', async () => {
    await start({ announcedAddress: '203.0.113.7', iceTcp: false, workers: 1 });
    const { publisher } = await (await current().open(callId('C_address0'), quiet)).endpoint(participantId('PA_alice'), silentListener);
    assert.deepEqual(publisher.iceCandidates.map(({ protocol, address }) => `${protocol} ${address}`), ['udp 203.0.113.7']);
  });

  it('says which port is taken, and ends the workers it had started', async () => {
    const taken = createSocket('udp4');
    taken.bind(specBasePort() + 42, '127.0.0.1');
    await once(taken, 'listening');
    try {
      await assert.rejects(start(), new RegExp(`media port ${specBasePort() + 42} .*choose another first media port`));
    } finally {
      taken.close();
      await once(taken, 'close');
    }
    // Its ports are free again, so its processes are gone.
    await start();
  });

  it('says that the worker cannot be started', async () => {
    await assert.rejects(start({ workerBinary: '/nonexistent/mediasoup-worker' }), /the media worker \/nonexistent\/mediasoup-worker cannot be started/);
  });

  it('replaces a worker that died and leaves the calls of the others alone', async () => {
    await start();
    let lost = '';
    const listener = (name: string): typeof quiet => ({ ...quiet, mediaLost: () => {
      lost += name;
    } });
    const one = await current().open(callId('C_one00000'), listener('one'));
    const pid = await busyPid(current());
    const two = await current().open(callId('C_two00000'), listener('two'));
    process.kill(pid, 'SIGKILL');
    await eventually(async () => {
      const { workers } = await current().snapshot();
      return workers.every(({ alive }) => alive) && workers.every((worker) => worker.pid !== pid) ? undefined : 'the dead worker is not replaced';
    });
    assert.equal(lost, 'one');
    const endpoint = await two.endpoint(participantId('PA_alice'), silentListener);
    await endpoint.produce(trackId('TR_sound'), { kind: 'audio', rtpParameters: opusParameters(1_001), paused: false, speech: true });
    await assert.rejects(one.endpoint(participantId('PA_bobby'), silentListener));
  });

  it('refuses calls when no worker is left', async () => {
    await start({ workers: 1 });
    await current().close();
    await assert.rejects(current().open(callId('C_late0000'), quiet), /no media worker is alive/);
  });
});
