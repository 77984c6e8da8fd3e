// The media plane on real mediasoup workers.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { CallMediaListener, MediaEndpoint } from '../../src/control/ports/media-plane.ts';
import { silentLogger } from '../../src/log/logger.ts';
import { createMediaPlane, type ClosableMediaPlane, type MediaPlaneOptions } from '../../src/sfu/media-plane.ts';
import { mediaPlaneConformance } from '../ports/media-plane.ts';
import { callId, participantId, trackId } from '../support/builders.ts';
import { eventually } from '../support/eventually.ts';
import { opusParameters, silentListener, simulcastParameters } from '../support/media.ts';
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

  describe('as a port, when each session is on another worker than the one before', () => {
    beforeEach(async () => {
      await start({ fullAtConsumers: 0 });
    });
    mediaPlaneConformance('mediasoup on two workers', () => ({
      plane: current(),
      spread: true,
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

  describe('with a call that outgrows its worker', () => {
    const picture = trackId('TR_picture');
    const nth = (n: number) => participantId(`PA_viewer${n}`);
    const routersOf = async (): Promise<readonly number[]> => (await current().snapshot()).workers.map(({ routers }) => routers);

    /** A speaker and so many viewers, each with the picture. */
    const audience = async (size: number, listener: Partial<CallMediaListener> = {}) => {
      const call = await current().open(callId('C_large000'), { ...quiet, ...listener });
      const speaker = await call.endpoint(participantId('PA_alice'), silentListener);
      await speaker.produce(picture, { kind: 'video', rtpParameters: simulcastParameters(), paused: false, speech: false });
      const viewers: MediaEndpoint[] = [];
      for (let n = 0; n < size; n += 1) {
        const viewer = await call.endpoint(nth(n), silentListener);
        viewers.push(viewer);
        await eventually(async () => ((await viewer.consume(picture, '1')) === undefined ? `viewer ${n} has no picture` : undefined));
      }
      return { call, speaker, viewers };
    };

    it('keeps it on one worker until that is full', async () => {
      await start({ fullAtConsumers: 3 });
      await audience(3);
      assert.deepEqual((await routersOf()).toSorted(), [0, 1]);
    });

    it('grows on the other worker then, and fills both alike', async () => {
      await start({ fullAtConsumers: 3 });
      const { call } = await audience(3);
      // Each candidate names the worker that the session is on.
      const portOf = async (n: number): Promise<number> => {
        const viewer = await call.endpoint(nth(n), silentListener);
        await eventually(async () => ((await viewer.consume(picture, '1')) === undefined ? 'no picture' : undefined));
        return viewer.subscriber.iceCandidates[0]?.port ?? 0;
      };
      const ports: number[] = [];
      for (let n = 10; n < 20; n += 1) ports.push(await portOf(n));
      assert.deepEqual(await routersOf(), [1, 1]);
      const [first, second] = [41, 42].map((offset) => ports.filter((port) => port === specBasePort() + offset).length);
      // One of the first worker's streams is the copy for the second.
      assert.deepEqual([first, second].toSorted(), [3, 7]);
    });

    it('stays where it is when the other worker is hardly better off', async () => {
      await start({ fullAtConsumers: 3 });
      const other = await current().open(callId('C_other000'), quiet);
      const talker = await other.endpoint(participantId('PA_bobby'), silentListener);
      await talker.produce(picture, { kind: 'video', rtpParameters: simulcastParameters(), paused: false, speech: false });
      for (let n = 0; n < 3; n += 1) await (await other.endpoint(nth(n), silentListener)).consume(picture, '1');
      await audience(3);
      await (await current().open(callId('C_large000'), quiet)).endpoint(nth(9), silentListener);
      assert.deepEqual(await routersOf(), [1, 1]);
    });

    it('is lost as a whole with one of its workers, and opens again', async () => {
      await start({ fullAtConsumers: 1 });
      let lost = 0;
      const { call } = await audience(3, { mediaLost: () => {
        lost += 1;
      } });
      assert.deepEqual(await routersOf(), [1, 1]);
      process.kill((await current().snapshot()).workers[1]?.pid ?? 0, 'SIGKILL');
      await eventually(() => (lost === 1 ? undefined : `lost was told ${lost} times`));
      await assert.rejects(call.endpoint(nth(5), silentListener));
      await audience(1);
    });

    it('ends on every worker what a speaker ends', async () => {
      await start({ fullAtConsumers: 1 });
      const { speaker, viewers } = await audience(4);
      speaker.closeProducer(picture);
      await eventually(async () => {
        const again = await Promise.all(viewers.map((viewer) => viewer.consume(picture, '2')));
        return again.every((description) => description === undefined) && viewers.every((viewer) => !viewer.waitsFor(picture)) ? undefined : 'somebody still has it';
      });
      await speaker.produce(picture, { kind: 'video', rtpParameters: simulcastParameters(), paused: false, speech: false });
      for (const viewer of viewers) await eventually(async () => ((await viewer.consume(picture, '3')) === undefined ? 'the new picture is not there' : undefined));
    });
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
