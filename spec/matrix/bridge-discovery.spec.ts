// Owns the proof that a bridge is found where its server publishes it, by the rules of cascade.md §1.2 and no others.
import assert from 'node:assert/strict';
import { bridgeDiscovery } from '../../src/matrix/bridge-discovery.ts';
import { err, ok } from '../../src/util/result.ts';
import type { SafeFetch } from '../../src/util/safe-fetch.ts';
import { serverName } from '../support/builders.ts';
import { virtualClock } from '../support/clocks.ts';

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const at = (host: string) => `https://${host}/.well-known/matrix/client`;
const names = (url: unknown, more: object = {}) => JSON.stringify({ 'm.homeserver': { base_url: 'https://hs.example.org' }, 'fr.viaduc.bridge': { url }, ...more });

describe('the published address of a bridge', () => {
  const look = (pages: Readonly<Record<string, string | Answer>>) => {
    const asked: string[] = [];
    const clock = virtualClock();
    const fetch: SafeFetch = ({ hostHeader, path, protocol, policy, maxBodyBytes, body }) => {
      assert.deepEqual([protocol, maxBodyBytes, body, policy.allows('10.0.0.1'), policy.allows('10.1.0.1')], ['https:', 65_536, undefined, true, false]);
      asked.push(`https://${hostHeader}${path}`);
      const page = pages[`https://${hostHeader}${path}`];
      if (page === undefined) return Promise.resolve(err({ kind: 'unreachable', detail: 'nobody there' }));
      return Promise.resolve(ok({ headers: {}, body: '', ...(typeof page === 'string' ? { status: 200, body: page } : page) }));
    };
    const find = bridgeDiscovery({ privateAddresses: ['10.0.0.0/16'], clock, fetch });
    return { asked, clock, of: async (name: string) => find(serverName(name), AbortSignal.timeout(1000)).then((found) => (found.ok ? found.value?.href : found)) };
  };

  it('is found by the server name without its port, and kept', async () => {
    const world = look({ [at('example.org')]: names('https://visio.example.org/') });
    assert.equal(await world.of('example.org:8448'), 'https://visio.example.org/');
    assert.equal(await world.of('example.org'), 'https://visio.example.org/');
    assert.deepEqual(world.asked, [at('example.org')]);
    world.clock.advance(24 * 3_600_000);
    await world.of('example.org');
    assert.equal(world.asked.length, 2);
  });

  it('may be elsewhere: five redirects, to https only', async () => {
    const to = (location: string): Answer => ({ status: 302, headers: { location } });
    const far = look({ [at('a.example')]: to('https://b.example/x'), 'https://b.example/x': to('/y'), 'https://b.example/y': names('https://visio.a.example') });
    assert.equal(await far.of('a.example'), 'https://visio.a.example/');
    const plain = look({ [at('a.example')]: to('http://b.example/x') });
    assert.equal(await plain.of('a.example'), undefined);
    const circle = look({ [at('a.example')]: to(at('a.example')) });
    assert.equal(await circle.of('a.example'), undefined);
    assert.equal(circle.asked.length, 6);
  });

  for (const [what, page] of [
    ['is not there', { status: 404 }],
    ['is none', '<html>'],
    ['names no bridge', JSON.stringify({ 'm.homeserver': {} })],
    ['names a bridge without TLS', names('http://visio.example.org')],
    ['names a bridge with a password', names('https://u:p@visio.example.org')],
    ['names a bridge with a query', names('https://visio.example.org/?a')],
    ['names a bridge with a fragment', names('https://visio.example.org/#a')],
    ['names a bridge of another kind', names({ toString: 'x' })],
    ['names a bridge far too long', names(`https://visio.example.org/${'x'.repeat(2048)}`)],
  ] as const) {
    it(`is none, for an hour, when the document ${what}`, async () => {
      const world = look({ [at('example.org')]: page });
      for (const [laterMs, asked] of [[0, 1], [3_599_000, 1], [1000, 2]] as const) {
        world.clock.advance(laterMs);
        assert.equal(await world.of('example.org'), undefined);
        assert.equal(world.asked.length, asked);
      }
    });
  }

  it('is unknown, for a minute, when the host is not reached or broken, with the reason', async () => {
    for (const [pages, detail] of [[{}, 'nobody there'], [{ [at('example.org')]: { status: 502 } }, 'example.org answered 502']] as const) {
      const world = look(pages);
      assert.deepEqual(await world.of('example.org'), { ok: false, error: detail });
      world.clock.advance(59_999);
      await world.of('example.org');
      assert.equal(world.asked.length, 1);
      world.clock.advance(1);
      await world.of('example.org');
      assert.equal(world.asked.length, 2);
    }
  });
});
