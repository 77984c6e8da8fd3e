// Owns the proof that server names are resolved as the specification says: one row per step.
import assert from 'node:assert/strict';
import { ServerDiscovery, type FederationTarget, type SrvRecord } from '../../src/matrix/server-discovery.ts';
import { addressPolicy } from '../../src/util/addresses.ts';
import { err, ok } from '../../src/util/result.ts';
import type { SafeFetch } from '../../src/util/safe-fetch.ts';
import { serverName } from '../support/builders.ts';
import { virtualClock } from '../support/clocks.ts';

/** A text is the body of a 200. */
type WellKnown = string | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string };

interface World {
  /** By URL; others do not answer. */
  readonly wellKnown?: Readonly<Record<string, WellKnown>>;
  readonly srv?: Readonly<Record<string, readonly SrvRecord[]>>;
}

const delegation = (server: string) => JSON.stringify({ 'm.server': server });
const srv = (name: string, port: number, priority = 10, weight = 5): SrvRecord => ({ name, port, priority, weight });
const at = (host: string, port: number, hostHeader: string, certificateName = host): FederationTarget => ({ host, port, hostHeader, certificateName });

function world({ wellKnown = {}, srv: records = {} }: World) {
  const asked: string[] = [];
  const clock = virtualClock();
  const fetch: SafeFetch = (request) => {
    const url = `https://${request.hostHeader}${request.path}`;
    asked.push(url);
    const answer = wellKnown[url];
    if (answer === undefined) return Promise.resolve(err({ kind: 'unreachable', detail: 'nobody there' }));
    const { status, headers = {}, body = '' } = typeof answer === 'string' ? { status: 200, body: answer } : answer;
    return Promise.resolve(ok({ status, headers, body }));
  };
  const discovery = new ServerDiscovery({
    fetch,
    srv: (name) => {
      asked.push(name);
      return Promise.resolve(records[name] ?? []);
    },
    policy: addressPolicy([]),
    clock,
  });
  return { asked, clock, resolve: (name: string) => discovery.resolve(serverName(name), AbortSignal.timeout(5_000)) };
}

const wk = (host: string) => `https://${host}/.well-known/matrix/server`;

const rows: readonly { readonly step: string; readonly name: string; readonly world?: World; readonly targets: readonly FederationTarget[]; readonly asked: readonly string[] }[] = [
  { step: '1: IPv4 literal', name: '1.2.3.4', targets: [at('1.2.3.4', 8448, '1.2.3.4')], asked: [] },
  { step: '1: IPv4 literal with port', name: '1.2.3.4:443', targets: [at('1.2.3.4', 443, '1.2.3.4:443')], asked: [] },
  { step: '1: IPv6 literal', name: '[2a01::1]', targets: [at('2a01::1', 8448, '[2a01::1]')], asked: [] },
  { step: '1: IPv6 literal with port', name: '[2a01::1]:9', targets: [at('2a01::1', 9, '[2a01::1]:9')], asked: [] },
  { step: '2: name with port', name: 'a.example:8449', targets: [at('a.example', 8449, 'a.example:8449')], asked: [] },
  {
    step: '3.1: delegated to an IPv4 literal', name: 'a.example', world: { wellKnown: { [wk('a.example')]: delegation('1.2.3.4') } },
    targets: [at('1.2.3.4', 8448, '1.2.3.4')], asked: [wk('a.example')],
  },
  {
    step: '3.1: delegated to an IPv6 literal with port', name: 'a.example', world: { wellKnown: { [wk('a.example')]: delegation('[2a01::1]:443') } },
    targets: [at('2a01::1', 443, '[2a01::1]:443')], asked: [wk('a.example')],
  },
  {
    step: '3.2: delegated to a name with port', name: 'a.example', world: { wellKnown: { [wk('a.example')]: delegation('b.example:443') } },
    targets: [at('b.example', 443, 'b.example:443')], asked: [wk('a.example')],
  },
  {
    step: '3.3: delegated to a name with a record', name: 'a.example',
    world: { wellKnown: { [wk('a.example')]: delegation('b.example') }, srv: { '_matrix-fed._tcp.b.example': [srv('c.example', 1234)], '_matrix-fed._tcp.a.example': [srv('wrong.example', 1)] } },
    targets: [at('c.example', 1234, 'b.example', 'b.example')], asked: [wk('a.example'), '_matrix-fed._tcp.b.example'],
  },
  {
    step: '3.4: delegated to a name with a record of the old kind', name: 'a.example',
    world: { wellKnown: { [wk('a.example')]: delegation('b.example') }, srv: { '_matrix._tcp.b.example': [srv('c.example.', 1234)] } },
    targets: [at('c.example', 1234, 'b.example', 'b.example')], asked: [wk('a.example'), '_matrix-fed._tcp.b.example', '_matrix._tcp.b.example'],
  },
  {
    step: '3.5: delegated to a name without records', name: 'a.example', world: { wellKnown: { [wk('a.example')]: delegation('b.example') } },
    targets: [at('b.example', 8448, 'b.example')], asked: [wk('a.example'), '_matrix-fed._tcp.b.example', '_matrix._tcp.b.example'],
  },
  {
    step: '4: a record', name: 'a.example', world: { srv: { '_matrix-fed._tcp.a.example': [srv('c.example', 1234)], '_matrix._tcp.a.example': [srv('old.example', 1)] } },
    targets: [at('c.example', 1234, 'a.example', 'a.example')], asked: [wk('a.example'), '_matrix-fed._tcp.a.example'],
  },
  {
    step: '4: several records, by priority and weight', name: 'a.example',
    world: { srv: { '_matrix-fed._tcp.a.example': [srv('last', 1, 20), srv('light', 2, 10, 1), srv('heavy', 3, 10, 9), srv('never', 4, 30)] } },
    targets: [at('heavy', 3, 'a.example', 'a.example'), at('light', 2, 'a.example', 'a.example'), at('last', 1, 'a.example', 'a.example')], asked: [wk('a.example'), '_matrix-fed._tcp.a.example'],
  },
  {
    step: '4: a record that says there is no such service', name: 'a.example', world: { srv: { '_matrix-fed._tcp.a.example': [srv('', 0)] } },
    targets: [], asked: [wk('a.example'), '_matrix-fed._tcp.a.example'],
  },
  {
    step: '5: a record of the old kind', name: 'a.example', world: { srv: { '_matrix._tcp.a.example': [srv('old.example', 1)] } },
    targets: [at('old.example', 1, 'a.example', 'a.example')], asked: [wk('a.example'), '_matrix-fed._tcp.a.example', '_matrix._tcp.a.example'],
  },
  { step: '6: nothing but the name', name: 'a.example', targets: [at('a.example', 8448, 'a.example')], asked: [wk('a.example'), '_matrix-fed._tcp.a.example', '_matrix._tcp.a.example'] },
];

describe('server discovery', () => {
  for (const { step, name, world: given = {}, targets, asked } of rows) {
    it(`step ${step}`, async () => {
      const here = world(given);
      assert.deepEqual(await here.resolve(name), targets);
      assert.deepEqual(here.asked, asked);
    });
  }

  const useless: Readonly<Record<string, WellKnown>> = {
    'not found': { status: 404 },
    'an error': { status: 502 },
    'no JSON': 'm.server=b.example',
    'another shape': '{"m.server":["b.example"]}',
    'no server name': delegation('https://b.example/'),
    'a name with a path': delegation('b.example/x'),
    'credentials': delegation('user@b.example'),
    'a redirect to clear text': { status: 302, headers: { location: 'http://a.example/x' } },
    'a redirect to a file': { status: 302, headers: { location: 'file:///etc/passwd' } },
    'a redirect to nowhere': { status: 301 },
    'a redirect to itself': { status: 302, headers: { location: '/.well-known/matrix/server' } },
  };
  for (const [what, answer] of Object.entries(useless)) {
    it(`a well-known that is ${what} counts as none`, async () => {
      const here = world({ wellKnown: { [wk('a.example')]: answer } });
      assert.deepEqual(await here.resolve('a.example'), [at('a.example', 8448, 'a.example')]);
      assert.ok(here.asked.length <= 8, here.asked.join(' '));
    });
  }

  it('follows redirects of a well-known to other hosts', async () => {
    const here = world({
      wellKnown: { [wk('a.example')]: { status: 308, headers: { location: 'https://www.a.example:444/deep?x=y' } }, 'https://www.a.example:444/deep?x=y': delegation('b.example:1') },
    });
    assert.deepEqual(await here.resolve('a.example'), [at('b.example', 1, 'b.example:1')]);
  });

  describe('keeps a delegation', () => {
    const minute = 60_000;
    const hour = 60 * minute;
    const rowsKept = [
      { what: '24 hours by itself', headers: {}, keptMs: 24 * hour },
      { what: 'as long as the server says', headers: { 'cache-control': 'public, max-age=7200' }, keptMs: 2 * hour },
      { what: '48 hours at most', headers: { 'cache-control': 'max-age=31536000' }, keptMs: 48 * hour },
      { what: '5 minutes at least', headers: { 'cache-control': 'no-store' }, keptMs: 5 * minute },
    ];
    for (const { what, headers, keptMs } of rowsKept) {
      it(what, async () => {
        const here = world({ wellKnown: { [wk('a.example')]: { status: 200, headers, body: delegation('b.example:1') } } });
        await here.resolve('a.example');
        here.clock.advance(keptMs - 1);
        await here.resolve('a.example');
        assert.equal(here.asked.length, 1);
        here.clock.advance(1);
        await here.resolve('a.example');
        assert.equal(here.asked.length, 2);
      });
    }

    it('its absence an hour, a failure a minute', async () => {
      const absent = world({ wellKnown: { [wk('a.example')]: { status: 404 } } });
      const failing = world({});
      for (const { here, keptMs } of [{ here: absent, keptMs: hour }, { here: failing, keptMs: minute }]) {
        const times = () => here.asked.filter((what) => what === wk('a.example')).length;
        await here.resolve('a.example');
        here.clock.advance(keptMs - 1);
        await here.resolve('a.example');
        assert.equal(times(), 1);
        here.clock.advance(1);
        await here.resolve('a.example');
        assert.equal(times(), 2);
      }
    });
  });
});
