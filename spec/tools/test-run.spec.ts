// Specifies what ./viaduc test says last and how it ends: continuous integration reads nothing else.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const rows: readonly (readonly [what: string, spec: string, last: string, status: number])[] = [
  ['specs that pass', "it('a', () => undefined); it('b', () => undefined);", '2 passed, 0 failed', 0],
  ['one that fails', "it('a', () => undefined); it('b', () => { throw new Error('no'); });", '1 passed, 1 failed', 1],
  ['one that is skipped', "it('a', () => undefined); it.skip('b, without a network', () => undefined);", '1 passed, 0 failed, 1 skipped', 0],
  ['none at all', '', '0 passed, 1 failed', 1],
  ['a file that cannot be read', "throw new Error('broken')", '0 passed, 1 failed', 1],
  ['a process that ends itself', "it('a', () => process.exit(0));", '0 passed, 1 failed', 1],
];

describe('./viaduc test', function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'viaduc-run-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  for (const [what, spec, last, status] of rows) {
    it(`ends with "${last}" and status ${status} for ${what}`, async () => {
      const file = join(folder, 'x.spec.ts');
      writeFileSync(file, spec);
      const run = spawn(process.execPath, ['tools/test/run.ts', '--only-specs', file], { stdio: ['ignore', 'pipe', 'pipe'] });
      const output: string[] = [];
      for (const stream of [run.stdout, run.stderr]) stream.setEncoding('utf8').on('data', (text: string) => output.push(text));
      const { promise, resolve } = Promise.withResolvers<number | null>();
      run.once('close', resolve);
      assert.equal(await promise, status, output.join(''));
      assert.equal(output.join('').trimEnd().split('\n').at(-1), last);
    });
  }
});
