// Specifies that the load generator is sound: its own tests, where Go and its modules are on this machine. Nothing is fetched for that.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const options = { cwd: 'bench/load', env: { ...process.env, GOPROXY: 'off', GOFLAGS: '-mod=readonly' } };

describe('the load generator', function () {
  this.timeout(300_000);
  before(async function () {
    await run('go', ['list', '-test', '-deps', './...'], { ...options, maxBuffer: 2 ** 24 }).catch(() => this.skip());
  });

  it('is what go vet and gofmt want', async () => {
    await run('go', ['vet', './...'], options);
    assert.equal((await run('gofmt', ['-l', '.'], options)).stdout, '');
  });

  it('passes its tests', async () => {
    const { stdout } = await run('go', ['test', './...'], options);
    assert.ok(stdout.split('\n').filter((line) => line.startsWith('ok')).length >= 7, stdout);
  });
});
