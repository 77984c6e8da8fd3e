// Specifies the commands of the operator as they are typed: register, check, start, and words for every slip.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { appendFileSync, chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDatabase } from '../../src/store/database.ts';
import { bridgeFiles } from '../support/bridge-env.ts';
import { startFederation } from '../support/homeservers.ts';
import { specBasePort, specRun } from '../support/run.ts';

interface Ended {
  readonly status: number | null;
  readonly output: string;
}

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

async function viaduc(...args: readonly string[]): Promise<Ended> {
  return await viaducWith({}, ...args);
}

async function viaducWith(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const parts: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => parts.push(part));
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.once('close', resolve);
  return { status: await promise, output: Buffer.concat(parts).toString() };
}

describe('command line', function () {
  this.timeout(60_000);
  let folder: string;
  let config: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'viaduc-cli-'));
    config = join(folder, 'bridge.yaml');
    writeFileSync(config, 'homeserver:\n  serverName: interieur.example.org\n  url: http://127.0.0.1:9\nhttp:\n  publicUrl: https://visio.example.org\nmedia:\n  announcedAddress: 192.0.2.1\n');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const slips: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['no command', [], /No command was given\.[^]*Usage:/],
    ['a mistyped command', ['chekc'], /There is no command chekc\. Did you mean check\?/],
    ['no configuration', ['start'], /--config FILE is missing/],
    ['an unknown option', ['check', '--conf', 'x'], /Unknown option '--conf'[^]*Usage:/],
  ];
  for (const [what, args, expected] of slips) {
    it(`answers ${what} with what to do, and status 2`, async () => {
      const { status, output } = await viaduc(...args);
      assert.equal(status, 2);
      assert.match(output, expected);
    });
  }

  for (const command of ['register', 'check', 'start', 'demo']) {
    it(`explains itself to ${command} --help`, async () => {
      const { status, output } = await viaduc(command, '--help');
      assert.equal(status, 0, output);
      assert.match(output, /^Usage:\n[^]*viaduc register --config FILE/);
    });
  }

  it('says which file is missing', async () => {
    const { status, output } = await viaduc('start', '--config', join(folder, 'none.yaml'));
    assert.equal(status, 1);
    assert.match(output, /none\.yaml cannot be read/);
  });

  it('writes a registration for nobody else to read, and never twice by accident', async () => {
    const first = await viaduc('register', '--config', config);
    assert.equal(first.status, 0, first.output);
    assert.match(first.output, /app_service_config_files:\n {2}- .*registration\.yaml/);
    const path = join(folder, 'registration.yaml');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const text = readFileSync(path, 'utf8');
    for (const [, token = ''] of text.matchAll(/_token: "?(\S+?)"?$/gm)) assert(!first.output.includes(token), 'a token is printed');
    const second = await viaduc('register', '--config', config);
    assert.equal(second.status, 1);
    assert.match(second.output, /exists already[^]*--force/);
    assert.equal(readFileSync(path, 'utf8'), text);
    chmodSync(path, 0o644);
    assert.equal((await viaduc('register', '--config', config, '--force')).status, 0);
    assert.notEqual(readFileSync(path, 'utf8'), text);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it('does not start without a registration, or on a database of a newer version', async () => {
    const without = await viaduc('start', '--config', config);
    assert.equal(without.status, 1);
    assert.match(without.output, /registration\.yaml cannot be read[^]*\.\/viaduc register/);
    await viaduc('register', '--config', config);
    const database = openDatabase(join(folder, 'data/viaduc.sqlite'));
    database.pragma('user_version = 999');
    database.close();
    const newer = await viaduc('start', '--config', config);
    assert.equal(newer.status, 1);
    assert.match(newer.output, /written by a newer Viaduc/);
  });

  it('checks a bridge that would not work and says what to do about each fault', async () => {
    const { status, output } = await viaduc('check', '--config', config);
    assert.equal(status, 1);
    for (const expected of [/FAIL {2}the registration .* cannot be read/, /FAIL {2}The homeserver does not answer at http:\/\/127\.0\.0\.1:9/, /FAIL {2}https:\/\/visio\.example\.org cannot be reached over TLS/, /WARN {2}No Matrix client may show the call page/, /→ /, /The bridge would not work\. \d failures, 2 warnings\./]) assert.match(output, expected);
    assert.doesNotMatch(output, /about the registration/, 'a registration that is not there is one fault, not two');
  });

  it('checks a homeserver that is ready, and a port that is taken', async () => {
    const { folder: runFolder, certificates } = await specRun();
    const files = await bridgeFiles(mkdtempSync(join(runFolder, 'cli-')), 0);
    await using _federation = await startFederation({ size: 1, settings: () => ({ registrations: [files.registration] }) });
    const good = await viaducWith({ NODE_EXTRA_CA_CERTS: certificates.authority }, 'check', '--config', files.configFile);
    assert.equal(good.status, 0, good.output);
    assert.match(good.output, /The homeserver knows the application service viaduc[^]* ok {2}interieur\.localhost:\d+ can be asked who its people are[^]*The bridge can run\./);
    assert.match(good.output, /WARN {2}finances\.localhost:\d+ cannot be asked who its people are: .*\n {7}→ Until it can/);
    const untrusting = await viaducWith({ NODE_EXTRA_CA_CERTS: '' }, 'check', '--config', files.configFile);
    assert.equal(untrusting.status, 1);
    assert.match(untrusting.output, /FAIL {2}interieur\.localhost:\d+ cannot be asked who its people are: .*certificate.*\n {7}→ Set homeserver\.federationUrl/);
    const port = Number(new URL(files.publicUrl).port);
    const other = createServer().listen(port, '127.0.0.1');
    const taken = await viaduc('check', '--config', files.configFile);
    const start = await viaduc('start', '--config', files.configFile);
    other.close();
    assert.equal(taken.status, 1);
    assert.match(taken.output, new RegExp(`Port ${port}/tcp on 127.0.0.1 cannot be opened \\(public\\)`));
    assert.equal(start.status, 1);
    assert.match(start.output, /the public listener cannot open .* another program listens there/);
  });

  it('prints how the neighbours are, and what to do where something is wrong', async () => {
    const status = { server: 'finances.example.org', state: 'up', roundTripMs: 12, queuedBytes: 0, calls: 3, people: 4, tracksReceived: 2, stalledCalls: 2, callsWithoutPipe: 2, pipeFault: 'UDP ports 9400 to 9401 are taken', bytesSent: 2_500_000, bytesReceived: 0, packetsLost: 7, refusals: { person: 1 } };
    let answer: readonly object[] = [status];
    const running = createHttpServer((request, response) => void response.end(JSON.stringify(request.url === '/strangers' ? {} : answer))).listen(specBasePort() + 70, '127.0.0.1');
    try {
      appendFileSync(config, `neighbours:\n  - serverName: finances.example.org\nmetrics:\n  port: ${specBasePort() + 70}\n`);
      const full = await viaduc('neighbours', '--config', config);
      assert.equal(full.status, 1);
      assert.match(full.output, /^neighbour +link +rtt[^]*finances\.example\.org +up +12 ms +3 +4 +2 +2\.5 MB +0\.0 MB +7 +0 B +person 1\n/);
      assert.match(full.output, /Media of 2 calls cannot cross to finances\.example\.org: UDP ports 9400 to 9401 are taken\.\n {2}→ Widen cascade\.firstPort–lastPort/);
      assert.doesNotMatch(full.output, /Media do not pass/);
      answer = [{ ...status, callsWithoutPipe: 0, pipeFault: undefined, stalledCalls: 1 }];
      assert.match((await viaduc('neighbours', '--config', config)).output, /Media do not pass to or from finances\.example\.org in 1 calls\.\n {2}→ Check that UDP passes/);
      answer = [{ ...status, callsWithoutPipe: 0, pipeFault: undefined, stalledCalls: 0 }];
      assert.equal((await viaduc('neighbours', '--config', config)).status, 0);
    } finally {
      running.close();
    }
    assert.match((await viaduc('neighbours', '--config', config)).output, /The bridge does not answer on 127\.0\.0\.1:\d+ .*Is it running/);
  });

  it('tells when the homeserver does not know the registration', async () => {
    const { folder: runFolder } = await specRun();
    const files = await bridgeFiles(mkdtempSync(join(runFolder, 'cli-')), 0);
    await using _federation = await startFederation({ size: 1 });
    const { status, output } = await viaduc('check', '--config', files.configFile);
    assert.equal(status, 1);
    assert.match(output, /FAIL {2}The homeserver does not know our registration[^]*app_service_config_files/);
  });
});
