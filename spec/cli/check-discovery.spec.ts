// Specifies what the check says of how Element Call finds the bridge, and the lines that it gives where it does not.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { discovery } from '../../src/cli/check/discovery.ts';
import { parseConfig } from '../../src/config/load.ts';
import { makeRegistration } from '../../src/matrix/make-registration.ts';

const ours = { type: 'livekit', livekit_service_url: 'https://visio.example.org/' };
const other = { type: 'livekit', livekit_service_url: 'https://livekit.example.org' };

describe('the check of how Element Call finds the bridge', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'viaduc-discovery-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const configured = (withRegistration = true) => {
    const registration = join(folder, withRegistration ? 'registration.yaml' : 'none.yaml');
    const config = parseConfig(['homeserver:', '  serverName: example.org:8448', '  url: http://127.0.0.1:8008', `registration: ${registration}`, 'http:', '  publicUrl: https://visio.example.org', 'media:', '  workers: 2'].join('\n'), 'bridge.yaml');
    if (withRegistration) writeFileSync(registration, makeRegistration({ serverName: config.homeserver.serverName, url: 'http://127.0.0.1:9340', botLocalpart: 'visio' }), { mode: 0o600 });
    return config;
  };
  const answers = (byUrl: Readonly<Record<string, { readonly status: number; readonly body: unknown }>>) => (url: string): Promise<{ status: number; body: unknown }> => {
    const answer = Object.entries(byUrl).find(([part]) => url.includes(part))?.[1];
    return answer === undefined ? Promise.reject(new Error('nobody there')) : Promise.resolve(answer);
  };

  it('is content where both tell of this bridge', async () => {
    const found = await discovery(configured(), answers({ 'rtc/transports': { status: 200, body: { rtc_transports: [other, ours] } }, 'example.org/.well-known': { status: 200, body: { 'org.matrix.msc4143.rtc_foci': [ours] } } }));
    assert.deepEqual(found.map(({ level }) => level), ['ok', 'ok']);
  });

  const rows: readonly (readonly [string, Parameters<typeof answers>[0], readonly RegExp[]])[] = [
    ['neither knows', { 'rtc/transports': { status: 404, body: { errcode: 'M_UNRECOGNIZED' } }, '.well-known': { status: 200, body: {} } }, [/tells Element Call of no bridge \(it answers 404\)/, /tells Element Call of no bridge/]],
    ['both tell of another', { 'rtc/transports': { status: 200, body: { rtc_transports: [other, { type: 'new' }, 7] } }, '.well-known': { status: 200, body: { 'org.matrix.msc4143.rtc_foci': [other] } } }, [/tells Element Call of https:\/\/livekit\.example\.org, not of this bridge/, /livekit\.example\.org, not of this bridge/]],
    ['nobody answers', {}, [/could not be asked .*nobody there/, /could not be read: nobody there/]],
  ];
  for (const [what, told, texts] of rows) {
    it(`gives the lines to add where ${what}`, async () => {
      const [homeserver, wellKnown] = await discovery(configured(), answers(told));
      assert.equal(homeserver?.level, 'warning');
      assert.equal(wellKnown?.level, 'warning');
      assert.match(homeserver.what, texts[0] ?? /^$/);
      assert.match(wellKnown.what, texts[1] ?? /^$/);
      assert.match(homeserver.advice, /matrix_rtc: \{transports: \[\{type: livekit, livekit_service_url: "https:\/\/visio\.example\.org"\}\]\}.*msc4143_enabled: true/);
      assert.match(wellKnown.advice, /"org\.matrix\.msc4143\.rtc_foci": \[\{"type": "livekit", "livekit_service_url": "https:\/\/visio\.example\.org"\}\]/);
    });
  }

  it('does not ask the homeserver without a registration', async () => {
    assert.equal((await discovery(configured(false), answers({}))).length, 1);
  });
});
