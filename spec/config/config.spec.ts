// Specifies the configuration: its sample is not stale, every fault is told with key, line and hint.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ConfigError, parseConfig } from '../../src/config/load.ts';
import { nearest } from '../../src/config/nearest.ts';
import { sampleConfig } from '../../src/config/sample.ts';

const least = `
homeserver:
  serverName: interieur.example.org
  url: http://127.0.0.1:8008/
http:
  publicUrl: https://visio.example.org
`;

function faults(text: string): string {
  try {
    parseConfig(text, 'bridge.yaml');
  } catch (error) {
    assert(error instanceof ConfigError);
    return error.message;
  }
  return assert.fail('the configuration was taken');
}

describe('configuration', () => {
  it('has a sample made from its schema (npm run sample writes it)', () => {
    assert.equal(readFileSync(new URL('../../config/bridge.sample.yaml', import.meta.url), 'utf8'), sampleConfig());
  });

  it('takes its own sample', () => {
    const config = parseConfig(sampleConfig(), 'sample');
    assert.equal(config.homeserver.serverName, 'interieur.example.org');
    assert.equal(config.calls.noticeIntervalMs, 5000);
  });

  it('needs only the homeserver and the public address, and takes a section of comments as its defaults', () => {
    const config = parseConfig(`${least}log:\n  # level: debug\n`, 'bridge.yaml');
    assert.equal(config.homeserver.url, 'http://127.0.0.1:8008');
    assert.equal(config.log.level, 'info');
    assert(config.media.workers >= 1);
  });

  const rows: readonly (readonly [string, string, RegExp])[] = [
    ['an unknown key with the nearest known one', `${least}  prot: 1\n`, /^bridge\.yaml:7: unknown key http\.prot; did you mean http\.port\?$/],
    ['an unknown section', `${least}zzzzzzzzzzzz: 1\n`, /^bridge\.yaml:7: unknown key zzzzzzzzzzzz$/],
    ['a missing key', 'homeserver:\n  serverName: a.example\nhttp:\n  publicUrl: https://x.example\n', /homeserver\.url: is missing/],
    ['a missing section', 'homeserver:\n  serverName: a.example\n  url: http://x\n', /http: is missing/],
    ['a value of another kind', `${least}metrics:\n  port: many\n`, /^bridge\.yaml:8: metrics\.port: /],
    ['a port out of range', `${least}metrics:\n  port: 70000\n`, /metrics\.port/],
    ['an address that is none', least.replace('https://visio.example.org', 'ftp://visio'), /http\.publicUrl: must start with http/],
    ['a prefix that would match ordinary talk', `${least}calls:\n  prefixes: ["visio"]\n`, /calls\.prefixes\.0: must be one word after/],
    ['an origin that would open the policy', `${least}  frameAncestors: ["https://a; script-src *"]\n`, /frameAncestors\.0: must be an origin/],
    ['broken YAML', 'homeserver: [', /is not valid YAML/],
    ['an empty file', '', /homeserver: is missing/],
  ];
  for (const [what, text, expected] of rows) it(`refuses ${what}`, () => assert.match(faults(text), expected));

  it('tells every fault at once', () => {
    assert.equal(faults(`${least}  prot: 1\nmetrics:\n  port: many\n`).split('\n').length, 2);
  });

  it('does not let keys of the prototype in', () => {
    const before = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));
    assert.throws(() => parseConfig(`${least}__proto__:\n  polluted: true\n`, 'bridge.yaml'));
    assert.equal(JSON.stringify(Object.getOwnPropertyNames(Object.prototype)), before);
  });
});

describe('nearest', () => {
  it('guesses a slip and not a wild word', () => {
    assert.equal(nearest('serverNmae', ['serverName', 'url']), 'serverName');
    assert.equal(nearest('entirely', ['url', 'port']), undefined);
  });
});
