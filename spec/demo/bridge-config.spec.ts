// Owns the proof that a bridge of the demo knows its neighbours, and that an earlier demo's registration is mended.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import { type BridgeSettings, writeBridgeFiles } from '../../src/demo/bridge-config.ts';
import { organisationPorts, organisations } from '../../src/demo/organisations.ts';

describe('bridge of the demo', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'viaduc-bridge-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const settings = (more: Partial<BridgeSettings>): BridgeSettings => ({ basePort: 20_000, organisations, index: 0, bridges: 3, folder, language: 'fr', frameAncestors: [], ...more });

  it('has the others that have a bridge as neighbours, and admits those that have none', async () => {
    for (const [bridges, expected] of [[1, []], [2, ['finances.localhost:20010']], [3, ['finances.localhost:20010', 'defense.localhost:20020']]] as const) {
      const { configFile } = await writeBridgeFiles(settings({ bridges }));
      const { neighbours, access } = loadConfig(configFile);
      assert.deepEqual(neighbours.map(({ serverName }) => serverName), expected);
      assert.deepEqual(access.servers, ['finances.localhost:20010', 'defense.localhost:20020']);
    }
  });

  it('keeps media and what comes from other bridges on ports of its own ten', async () => {
    const { configFile } = await writeBridgeFiles(settings({ index: 1 }));
    const { media, cascade } = loadConfig(configFile);
    const { media: first, last } = organisationPorts(20_000, 1);
    assert.deepEqual([media.firstPort, cascade.lastPort], [first, last]);
    assert.equal(cascade.firstPort, media.firstPort + media.workers);
    assert(last < organisationPorts(20_000, 2).federation);
  });

  it('gives an earlier registration what it lacks, and leaves its tokens', async () => {
    const file = join(folder, 'registration.yaml');
    writeFileSync(file, 'id: viaduc\nas_token: kept-as\nhs_token: kept-hs\nurl: http://127.0.0.1:1\n');
    const { registration } = await writeBridgeFiles(settings({}));
    assert.deepEqual([registration['as_token'], registration['hs_token'], registration['url']], ['kept-as', 'kept-hs', 'http://127.0.0.1:20002']);
    assert.equal(registration['io.element.msc4512.proxy_prefix'], 'rtc/livekit');
    const again = await writeBridgeFiles(settings({}));
    assert.deepEqual(again.registration, registration);
    assert(readFileSync(file, 'utf8').includes('kept-as'));
  });
});
