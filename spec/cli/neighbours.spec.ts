// Specifies what ./viaduc neighbours shows the operator: the table, why one is down, what was refused to whom.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { neighbours } from '../../src/cli/neighbours.ts';
import { portOf } from '../support/call-host.ts';

const row = (change: object) => ({ server: 'finances.example.org', state: 'up', roundTripMs: 12, queuedBytes: 0, calls: 1, people: 2, tracksReceived: 3, stalledCalls: 0, callsWithoutPipe: 0, bytesSent: 0, bytesReceived: 0, packetsLost: 0, refusals: {}, ...change });

describe('the table of neighbours', () => {
  let folder: string;
  let bridge: Server;
  let answers: Readonly<Record<string, unknown>>;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'viaduc-neighbours-'));
    answers = { '/neighbours': [], '/strangers': {} };
    bridge = createServer((request, response) => response.end(JSON.stringify(answers[request.url ?? ''])));
    bridge.listen(0, '127.0.0.1');
    await once(bridge, 'listening');
  });
  afterEach(() => {
    bridge.close();
    rmSync(folder, { recursive: true });
  });

  const run = async (more: string): Promise<{ readonly status: number; readonly output: string }> => {
    const file = join(folder, 'bridge.yaml');
    writeFileSync(file, `homeserver:\n  serverName: interieur.example.org\n  url: http://127.0.0.1:9\nhttp:\n  publicUrl: https://visio.example.org\nmetrics:\n  port: ${portOf(bridge)}\n${more}`);
    const written: string[] = [];
    const write = process.stdout.write.bind(process.stdout);
    process.stdout.write = (text: string | Uint8Array): boolean => written.push(String(text)) > 0;
    try {
      return { status: await neighbours(file), output: written.join('') };
    } finally {
      process.stdout.write = write;
    }
  };
  const listed = 'neighbours:\n  - serverName: finances.example.org\n';

  it('says that there are none, and how to have some', async () => {
    const { status, output } = await run('');
    assert.equal(status, 0);
    assert.match(output, /No neighbours are configured.*neighbours.*cascade\.accept/);
  });

  it('shows each neighbour with what was refused to it, and strangers in one line', async () => {
    answers = { '/neighbours': [row({ refusals: { introductionToken: 2, flood: 1 } })], '/strangers': { notListed: 7, confirmationUnasked: 1 } };
    const { status, output } = await run(listed);
    assert.equal(status, 0);
    assert.match(output, /^neighbour +link +rtt .*\nfinances\.example\.org +up +12 ms .*introductionToken 2, flood 1\n/);
    assert.match(output, /Refused to others than these: notListed 7, confirmationUnasked 1\.\n {2}→ docs\/errors\.md/);
  });

  it('says why one is down and where to read on', async () => {
    answers = { ...answers, '/neighbours': [row({ state: 'down', reason: 'neither means of introduction works' })] };
    const { status, output } = await run(listed);
    assert.equal(status, 1);
    assert.match(output, /finances\.example\.org is down: neither means of introduction works\.\n {2}→ docs\/errors\.md/);
  });

  it('asks the bridge where any server may be a neighbour', async () => {
    const { status, output } = await run('cascade:\n  accept: anyFederated\n');
    assert.deepEqual([status, output], [0, 'No neighbours at the moment.\n']);
  });
});
