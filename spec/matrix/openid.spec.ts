// Owns the proof that a homeserver is believed only about its own people, and only in time.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { silentLogger } from '../../src/log/logger.ts';
import { allowedServers } from '../../src/matrix/allowed-servers.ts';
import { createIdentityVerifier } from '../../src/matrix/openid.ts';
import type { SrvRecord } from '../../src/matrix/server-discovery.ts';
import { serverName } from '../support/builders.ts';
import { virtualClock } from '../support/clocks.ts';
import { tlsHost, type TlsHost } from '../support/tls-host.ts';

describe('the identity verifier', () => {
  let host: TlsHost;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;

  before(async () => {
    host = await tlsHost({ names: ['matrix.localhost', 'delegated.localhost', 'a.localhost'], answer: (request, response) => answer(request, response) });
  });
  after(async () => host[Symbol.asyncDispose]());
  beforeEach(() => {
    host.asked.length = 0;
  });

  const says = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) => (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(typeof body === 'string' ? body : JSON.stringify(body));
  };
  const name = () => `matrix.localhost:${host.port}`;
  const verifier = (change: { readonly servers?: readonly string[]; readonly srv?: (name: string) => Promise<readonly SrvRecord[]>; readonly federationUrl?: string } = {}) => {
    const clock = virtualClock();
    const own = serverName('own.example');
    const verifier = createIdentityVerifier({
      own: { serverName: own, federationUrl: change.federationUrl },
      isAllowed: allowedServers(own, change.servers ?? ['*.localhost']),
      privateAddresses: ['127.0.0.0/8'],
      clock,
      log: silentLogger,
      ...(change.srv && { srv: change.srv }),
    });
    return { clock, verify: async (accessToken = 'token', matrixServerName = name()) => verdict(await verifier.verify({ accessToken, matrixServerName })) };
  };
  const verdict = (result: Awaited<ReturnType<ReturnType<typeof createIdentityVerifier>['verify']>>) => (result.ok ? result.value : { code: result.error.code, retryAfterMs: result.error.retryAfterMs });
  const rejected = { code: 'identityRejected', retryAfterMs: undefined };

  it('believes a homeserver about its own people, and asks as the specification says', async () => {
    answer = says(200, { sub: `@alice:${name()}` });
    assert.equal(await verifier().verify('a b&c/?'.replace(' ', '+')), `@alice:${name()}`);
    assert.deepEqual(host.asked, [{ host: name(), servername: 'matrix.localhost', path: '/_matrix/federation/v1/openid/userinfo?access_token=a%2Bb%26c%2F%3F' }]);
  });

  const lies: Readonly<Record<string, () => unknown>> = {
    'a user of another server': () => ({ sub: '@alice:own.example' }),
    'a user of its name without the port': () => ({ sub: '@alice:matrix.localhost' }),
    'a user of its name in capitals': () => ({ sub: `@alice:MATRIX.localhost:${host.port}` }),
    'a user of a name that looks alike': () => ({ sub: `@alice:mаtrix.localhost:${host.port}` }),
    'a user of a name that ends alike': () => ({ sub: `@alice:evil.${name()}` }),
    'two servers in one user': () => ({ sub: `@alice:own.example:${name()}` }),
    'a line break': () => ({ sub: `@alice\n:${name()}` }),
    'no user': () => ({ sub: 'alice' }),
    'no text': () => ({ sub: 7 }),
    'an object': () => ({ sub: { toString: 'x' } }),
    'nothing': () => ({}),
    'a list': () => [],
    'null': () => null,
    'no JSON': () => `@alice:${name()}`,
    'a prototype': () => '{"__proto__":{"sub":"@alice:own.example"}}',
    'too much': () => ({ sub: `@alice:${name()}`, padding: 'x'.repeat(20_000) }),
  };
  for (const [what, body] of Object.entries(lies)) {
    it(`does not believe ${what}`, async () => {
      answer = says(200, body());
      assert.deepEqual(await verifier().verify(), rejected);
      assert.equal('sub' in {}, false);
    });
  }

  for (const status of [201, 204, 301, 302, 400, 401, 403, 404]) {
    it(`takes status ${status} for a refusal, wherever it points`, async () => {
      answer = says(status, status === 204 ? '' : { sub: `@alice:${name()}` }, { location: `https://matrix.localhost:${host.port}/elsewhere` });
      assert.deepEqual(await verifier().verify(), rejected);
      assert.equal(host.asked.length, 1);
    });
  }

  it('waits when the homeserver is busy or broken, as long as it says', async () => {
    answer = says(429, {}, { 'retry-after': '7' });
    assert.deepEqual(await verifier().verify(), { code: 'homeserverUnavailable', retryAfterMs: 7_000 });
    answer = says(502, 'Bad gateway');
    assert.deepEqual(await verifier().verify(), { code: 'homeserverUnavailable', retryAfterMs: 5_000 });
    answer = says(503, '', { 'retry-after': '99999999' });
    assert.deepEqual(await verifier().verify(), { code: 'homeserverUnavailable', retryAfterMs: 60_000 });
  });

  it('gives up after five seconds, and does not ask again at once', async () => {
    answer = (_request, response) => {
      response.writeHead(200).write('{"sub":');
    };
    const { verify, clock } = verifier();
    const startedAtMs = performance.now();
    assert.deepEqual(await verify(), { code: 'homeserverUnavailable', retryAfterMs: 5_000 });
    const tookMs = performance.now() - startedAtMs;
    assert.ok(tookMs > 4_500 && tookMs < 7_000, `${tookMs} ms`);
    clock.advance(1_000);
    assert.deepEqual(await verify(), { code: 'homeserverUnavailable', retryAfterMs: 4_000 });
    assert.equal(host.asked.length, 1);
    clock.advance(4_000);
    answer = says(200, { sub: `@alice:${name()}` });
    assert.equal(await verify(), `@alice:${name()}`);
  });

  it('remembers a refused token for a moment, and only that one', async () => {
    answer = says(401, { errcode: 'M_UNKNOWN_TOKEN' });
    const { verify, clock } = verifier();
    assert.deepEqual([await verify('bad'), await verify('bad')], [rejected, rejected]);
    assert.equal(host.asked.length, 1);
    answer = says(200, { sub: `@alice:${name()}` });
    assert.equal(await verify('good'), `@alice:${name()}`);
    clock.advance(10_000);
    assert.equal(await verify('bad'), `@alice:${name()}`);
  });

  it('asks one server eight times at once, no more', async () => {
    const held: ServerResponse[] = [];
    answer = (_request, response) => void held.push(response);
    const { verify } = verifier();
    const all = Array.from({ length: 12 }, (_, n) => verify(`token-${n}`));
    const busy = { code: 'homeserverUnavailable', retryAfterMs: 1_000 };
    assert.deepEqual(await Promise.all(all.slice(8)), [busy, busy, busy, busy]);
    while (held.length < 8) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const response of held) response.end(JSON.stringify({ sub: `@alice:${name()}` }));
    assert.deepEqual(new Set(await Promise.all(all.slice(0, 8))), new Set([`@alice:${name()}`]));
  });

  it('does not wait for records that never come', async () => {
    const startedAtMs = performance.now();
    const srv = () => new Promise<never>(() => undefined);
    assert.deepEqual(await verifier({ srv }).verify('token', 'a.localhost'), { code: 'homeserverUnavailable', retryAfterMs: 5_000 });
    const tookMs = performance.now() - startedAtMs;
    assert.ok(tookMs > 4_500 && tookMs < 7_000, `${tookMs} ms`);
  });

  const strangers = [
    'elsewhere.example', 'localhost', 'localhost:8448', 'MATRIX.localhost', 'matrix.localhost.evil.example', 'evil-localhost', '127.0.0.1', '127.0.0.1:8448', '[::1]', '[::1]:8448', '169.254.169.254', '10.0.0.1:80',
    'matrix.localhost:0x1', 'matrix.localhost/', 'user@matrix.localhost', 'matrix.localhost#', 'matrix.localhost?x=', 'https://matrix.localhost', 'matrix.localhost\r\nHost: evil', 'matrix.localhost:1:2', '', ' ', '.', 'a'.repeat(300),
  ];
  for (const stranger of strangers) {
    it(`asks nobody for ${JSON.stringify(stranger.slice(0, 40))}`, async () => {
      answer = says(200, { sub: '@alice:own.example' });
      const before = host.connections();
      assert.deepEqual(await verifier().verify('token', stranger), rejected);
      assert.equal(host.connections(), before);
    });
  }

  it('refuses malformed tokens without asking', async () => {
    const before = host.connections();
    for (const token of ['', 'a b', 'a\r\nb', 'x'.repeat(3_000), 'é']) assert.deepEqual(await verifier().verify(token), rejected);
    assert.equal(host.connections(), before);
  });

  it('goes where records point, and insists on the certificate of the name asked', async () => {
    answer = says(200, { sub: '@alice:a.localhost' });
    const srv = (record: string) => Promise.resolve(record === '_matrix-fed._tcp.a.localhost' ? [{ name: 'delegated.localhost', port: host.port, priority: 1, weight: 1 }] : []);
    assert.equal(await verifier({ srv }).verify('token', 'a.localhost'), '@alice:a.localhost');
    assert.deepEqual(host.asked.at(-1)?.host, 'a.localhost');
    assert.deepEqual(host.asked.at(-1)?.servername, 'a.localhost');
    const wrong = (record: string) => Promise.resolve(record === '_matrix-fed._tcp.b.localhost' ? [{ name: 'delegated.localhost', port: host.port, priority: 1, weight: 1 }] : []);
    assert.deepEqual(await verifier({ srv: wrong }).verify('token', 'b.localhost'), { code: 'homeserverUnavailable', retryAfterMs: 5_000 });
  });

  describe('at a configured address of our own homeserver', () => {
    let server: Server;
    let url: string;
    before(async () => {
      server = createServer((request, response) => answer(request, response));
      const { promise, resolve } = Promise.withResolvers<undefined>();
      server.listen(0, '127.0.0.1', () => resolve(undefined));
      await promise;
      const address = server.address();
      url = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;
    });
    after(() => server.close());

    it('asks in clear text, and holds it to its own people too', async () => {
      answer = says(200, { sub: '@alice:own.example' });
      assert.equal(await verifier({ federationUrl: url }).verify('token', 'own.example'), '@alice:own.example');
      answer = says(200, { sub: '@bob:other.example' });
      assert.deepEqual(await verifier({ federationUrl: `${url}/` }).verify('token', 'own.example'), rejected);
    });
  });
});

describe('the list of servers', () => {
  const own = serverName('own.example:8448');
  const rows: readonly (readonly [patterns: readonly string[], server: string, allowed: boolean])[] = [
    [[], 'own.example:8448', true],
    [[], 'own.example', false],
    [[], 'finances.example', false],
    [['finances.example'], 'finances.example', true],
    [['Finances.Example'], 'finances.example', true],
    [['finances.example'], 'Finances.Example', false],
    [['finances.example'], 'finances.example:8448', false],
    [['finances.example:8448'], 'finances.example:8448', true],
    [['finances.example'], 'a.finances.example', false],
    [['*.gouv.example'], 'finances.gouv.example', true],
    [['*.gouv.example'], 'a.b.gouv.example:8448', true],
    [['*.gouv.example'], 'FINANCES.gouv.example', false],
    [['*.gouv.example'], 'gouv.example', false],
    [['*.gouv.example'], 'evilgouv.example', false],
    [['*.gouv.example'], '.gouv.example', false],
    [['*.gouv.example'], 'finances.gouv.example.evil.example', false],
    [['*.0.0.1'], '127.0.0.1', false],
    [['*.1'], '[::1]', false],
    [['[::1]:8448'], '[::1]:8448', true],
  ];
  for (const [patterns, server, allowed] of rows) {
    it(`${JSON.stringify(patterns)} ${allowed ? 'has' : 'has not'} ${server}`, () => assert.equal(allowedServers(own, patterns)(serverName(server)), allowed));
  }
});
