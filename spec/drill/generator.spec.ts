// Specifies how drills run the load generator: phases in time, a result, and its own words when it fails.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runLoad } from '../../src/drill/load/generator.ts';

const times = { count: 1, p50: 1, p95: 1, p99: 1, max: 1 };
const result = {
  seconds: 1, people: 2, listeners: 1, tracks: 1, sent: 50, expected: 50, received: 49, lost: 1, duplicated: 0, silent: 0, missing: 0, delivery: 0.98,
  worst: { identity: 'bob', delivery: 0.98 }, packetsPerSecond: 49, delayMs: times, joinMs: times, firstMediaMs: times, refused: 0, dropped: 0,
  audit: { foreign: 0, misattributed: 0, mixed: 0, unstamped: 0 }, generator: { cpuRatio: 0.1, lateMs: times },
};

describe('the load generator, as drills run it', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'viaduc-load-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function runScript(script: string): Promise<{ readonly phases: readonly string[]; readonly loaded: Awaited<ReturnType<typeof runLoad>> }> {
    const binary = join(folder, 'load');
    writeFileSync(binary, `#!/bin/sh\n${script}\n`, { mode: 0o700 });
    const phases: string[] = [];
    const loaded = await runLoad({ binary, options: { listeners: 1, 'speakers-listen': false }, onPhase: (phase) => phases.push(phase) });
    return { phases, loaded };
  }

  it('is given its options, and tells phases and result', async () => {
    const ran = await runScript(`[ "$*" = "-listeners=1 -speakers-listen=false" ] || exit 1
echo '{"phase":"measuring"}'
echo '{"phase":"measured"}'
echo '${JSON.stringify(result)}'`);
    assert.deepEqual(ran, { phases: ['measuring', 'measured'], loaded: result });
  });

  it('fails in its own words', async () => {
    await assert.rejects(runScript('echo "load: nobody could join" >&2; exit 1'), /nobody could join/);
  });

  it('is refused when it says something else', async () => {
    await assert.rejects(runScript('echo \'{"phase":"dancing"}\'; exec sleep 60'), /invalid|expected/i);
  });
});
