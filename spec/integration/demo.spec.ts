// Owns the proof that the demo starts, is found again, and leaves nothing behind however it is ended.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { descendants, type KnownProcess, stillRunning } from '../../src/demo/check/process-tree.ts';
import { demoInfoSchema } from '../../src/demo/demo-info.ts';
import { demoUrl } from '../../src/demo/demo.ts';
import { eventually } from '../support/eventually.ts';
import { specBasePort } from '../support/run.ts';

const startMs = 90_000;

/** ./viaduc demo without its set-up, in a process group of its own as a shell would start it. */
class DemoProcess {
  readonly child: ChildProcess;
  output = '';

  constructor(cache: string) {
    this.child = spawn(process.execPath, ['src/main.ts', 'demo', '--port', String(specBasePort())], { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, VIADUC_CACHE: cache } });
    for (const stream of [this.child.stdout, this.child.stderr]) stream?.on('data', (data: Buffer) => (this.output += data.toString()));
  }

  get pid(): number {
    assert.ok(this.child.pid !== undefined);
    return this.child.pid;
  }

  async untilOpen(): Promise<void> {
    await eventually(() => {
      assert.equal(this.child.exitCode, null, `the demo ended: ${this.output}`);
      return this.output.includes(`Open  ${demoUrl(specBasePort())}`) ? undefined : `the demo has said: ${this.output}`;
    }, startMs);
  }

  async exit(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
    return this.child.exitCode;
  }

  processes(): readonly KnownProcess[] {
    return descendants(this.pid);
  }
}

async function allGone(processes: readonly KnownProcess[]): Promise<void> {
  await eventually(() => {
    const left = stillRunning(processes);
    return left.length === 0 ? undefined : `still there: ${left.map(({ pid, name }) => `${name} (${pid})`).join(', ')}`;
  });
}

async function roomOfPage(): Promise<string> {
  const response = await fetch(`${demoUrl(specBasePort())}/demo.json`);
  return demoInfoSchema.parse(await response.json()).roomId;
}

describe('the demo', function () {
  this.timeout(240_000);
  const cache = mkdtempSync(join(tmpdir(), 'viaduc-demo-'));
  const started: DemoProcess[] = [];
  const start = (): DemoProcess => {
    const demo = new DemoProcess(cache);
    started.push(demo);
    return demo;
  };

  after(async () => {
    for (const demo of started) demo.child.kill('SIGKILL');
    await Promise.all(started.map(async (demo) => demo.exit()));
    rmSync(cache, { recursive: true, force: true });
  });

  it('starts, refuses a second one in words, ends at Ctrl-C, finds its room again, and leaves nothing when it is killed', async () => {
    const first = start();
    await first.untilOpen();
    const room = await roomOfPage();
    const processes = first.processes();
    for (const name of ['mediasoup', 'python']) assert.ok(processes.some((entry) => entry.name.includes(name)), `${name} runs: ${processes.map((entry) => entry.name).join(', ')}`);

    const second = start();
    assert.equal(await second.exit(), 1);
    assert.match(second.output, new RegExp(`in use by another program:[^]*${String(specBasePort())}/tcp \\(homeserver interieur, federation\\)[^]*--port`));

    // As a terminal does: to the whole foreground group.
    process.kill(-first.pid, 'SIGINT');
    assert.equal(await first.exit(), 0, first.output);
    await allGone(processes);

    const third = start();
    const startedAt = performance.now();
    await third.untilOpen();
    assert.ok(performance.now() - startedAt < 30_000, 'a second start takes less than 30 s');
    assert.equal(await roomOfPage(), room);
    const again = third.processes();
    assert.equal(again.length, processes.length);
    third.child.kill('SIGKILL');
    await third.exit();
    await allGone(again);
  });

  it('ends what it has started when it is interrupted in the middle of its start', async () => {
    const demo = start();
    await eventually(() => (demo.processes().some(({ name }) => name.includes('python')) ? undefined : 'the homeservers\' process has not started'), startMs);
    const processes = demo.processes();
    demo.child.kill('SIGTERM');
    assert.equal(await demo.exit(), 130, demo.output);
    await allGone([...processes, ...demo.processes()]);
  });
});
