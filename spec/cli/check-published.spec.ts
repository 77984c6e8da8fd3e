// Specifies what the check says of the address that our server publishes for this bridge: a hint at most where none is.
import assert from 'node:assert/strict';
import { published } from '../../src/cli/check/published.ts';
import { parseConfig } from '../../src/config/load.ts';
import { err, ok } from '../../src/util/result.ts';
import type { SafeFetch } from '../../src/util/safe-fetch.ts';

const config = (more: readonly string[] = ['neighbours:', '  - serverName: finances.example.org'], publicUrl = 'https://visio.example.org') =>
  parseConfig(['homeserver:', '  serverName: interieur.example.org:8448', '  url: http://127.0.0.1:8008', 'http:', `  publicUrl: ${publicUrl}`, 'media:', '  workers: 2', ...more].join('\n'), 'bridge.yaml');
const page = (status: number, content: unknown): SafeFetch => () => Promise.resolve(ok({ status, headers: {}, body: JSON.stringify(content) }));
const unreachable: SafeFetch = () => Promise.resolve(err({ kind: 'unreachable', detail: 'nobody there' }));
const line = /"fr\.viaduc\.bridge": \{"url": "https:\/\/visio\.example\.org"\}/;

describe('the check of the published address', () => {
  const rows: readonly (readonly [string, SafeFetch, string, RegExp, RegExp])[] = [
    ['is content with ours', page(200, { 'fr.viaduc.bridge': { url: 'https://visio.example.org/' } }), 'ok', /^https:\/\/interieur\.example\.org\/\.well-known\/matrix\/client names this bridge$/, /^$/],
    ['warns of another', page(200, { 'fr.viaduc.bridge': { url: 'https://old.example.org' } }), 'warning', /names another bridge: https:\/\/old\.example\.org$/, line],
    ['gives the line to add where there is none', page(200, { 'm.homeserver': {} }), 'ok', /does not name this bridge$/, line],
    ['gives it where there is no document', page(404, {}), 'ok', /does not name this bridge$/, line],
    ['gives it where nobody answers, with the reason', unreachable, 'ok', /could not be asked for this bridge: nobody there$/, line],
  ];
  for (const [what, fetch, level, text, advice] of rows) {
    it(what, async () => {
      const [finding, ...more] = await published(config(), fetch);
      assert.deepEqual([finding?.level, more], [level, []]);
      assert.match(finding?.what ?? '', text);
      assert.match(finding?.advice ?? 'none', advice);
    });
  }

  it('asks nothing where no calls are shared, or without TLS', async () => {
    const never: SafeFetch = () => assert.fail('asked');
    assert.deepEqual(await published(config([]), never), []);
    assert.deepEqual(await published(config(undefined, 'http://interieur.localhost:18443'), never), []);
    assert.equal((await published(config(['cascade:', '  accept: anyFederated']), unreachable)).length, 1);
  });
});
