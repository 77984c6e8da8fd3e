// Owns the proof that safeFetch connects where it may, as who it should, and does not wait or read for ever.
import assert from 'node:assert/strict';
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { addressPolicy } from '../../src/util/addresses.ts';
import { safeFetch, type SafeRequest } from '../../src/util/safe-fetch.ts';
import { tlsHost, type TlsHost } from '../support/tls-host.ts';

const loopback = addressPolicy(['127.0.0.0/8']);
const none = addressPolicy([]);

describe('safeFetch', () => {
  let host: TlsHost;

  before(async () => {
    host = await tlsHost({
      names: ['matrix.localhost', 'other.localhost'],
      answer: (request, response) => {
        switch (request.url) {
          case '/large':
            response.end('x'.repeat(2000));
            break;
          case '/endless':
            setInterval(() => response.write('x'.repeat(100)), 5).unref();
            break;
          case '/silent':
            break;
          case '/drip':
            response.write('{');
            break;
          case '/broken':
            response.writeHead(200, { 'content-length': '100' }).write('{');
            response.socket?.destroy();
            break;
          case '/elsewhere':
            response.writeHead(302, { location: `https://other.localhost:${host.port}/` }).end();
            break;
          case '/echo':
            request.pipe(response.writeHead(200, { 'content-type': String(request.headers['content-type']), 'x-method': request.method ?? '' }));
            break;
          default:
            response.setHeader('content-type', 'application/json');
            response.end('{"ok":true}');
        }
      },
    });
  });
  after(async () => host[Symbol.asyncDispose]());

  const request = (change: Partial<SafeRequest> = {}): SafeRequest => ({
    protocol: 'https:',
    host: 'matrix.localhost',
    port: host.port,
    hostHeader: 'matrix.localhost',
    certificateName: 'matrix.localhost',
    path: '/',
    policy: loopback,
    maxBodyBytes: 1000,
    signal: AbortSignal.timeout(5_000),
    ...change,
  });
  const kindOf = async (change: Partial<SafeRequest>) => {
    const answer = await safeFetch(request(change));
    return answer.ok ? `answer ${answer.value.status}` : answer.error.kind;
  };

  it('asks with the given Host header and the name of the certificate', async () => {
    const answer = await safeFetch(request({ hostHeader: 'delegated.example:8448', certificateName: 'other.localhost', path: '/a?b=c' }));
    assert.ok(answer.ok);
    assert.deepEqual({ status: answer.value.status, body: answer.value.body }, { status: 200, body: '{"ok":true}' });
    assert.deepEqual(host.asked.at(-1), { host: 'delegated.example:8448', servername: 'other.localhost', path: '/a?b=c' });
  });

  it('posts a body as JSON, and does not follow where it is sent with it', async () => {
    const answer = await safeFetch(request({ path: '/echo', body: '{"é":1}' }));
    assert.ok(answer.ok);
    assert.deepEqual([answer.value.body, answer.value.headers['content-type'], answer.value.headers['x-method']], ['{"é":1}', 'application/json', 'POST']);
    assert.equal(await kindOf({ path: '/elsewhere', body: '{}' }), 'answer 302');
    assert.equal(await kindOf({ path: '/echo', body: '{}', policy: none }), 'forbiddenAddress');
  });

  it('takes an address for its own certificate name', async () => {
    assert.equal(await kindOf({ host: '127.0.0.1', certificateName: '127.0.0.1', hostHeader: '127.0.0.1' }), 'answer 200');
    assert.equal(await kindOf({ host: '127.0.0.2', certificateName: '127.0.0.2', hostHeader: '127.0.0.2' }), 'unreachable');
  });

  it('believes no certificate of another name', async () => {
    assert.equal(await kindOf({ certificateName: 'third.localhost' }), 'unreachable');
  });

  it('hands on redirects without following them', async () => {
    const before = host.connections();
    assert.equal(await kindOf({ path: '/elsewhere' }), 'answer 302');
    assert.equal(host.connections() - before, 1);
  });

  it('reads no more than it was told', async () => {
    assert.equal(await kindOf({ path: '/large' }), 'tooLarge');
    assert.equal(await kindOf({ path: '/endless' }), 'tooLarge');
    assert.equal(await kindOf({ path: '/large', maxBodyBytes: 2000 }), 'answer 200');
  });

  for (const path of ['/silent', '/drip']) {
    it(`waits no longer than it was told: ${path}`, async () => {
      const startedAtMs = performance.now();
      assert.equal(await kindOf({ path, signal: AbortSignal.timeout(200) }), 'timeout');
      assert.ok(performance.now() - startedAtMs < 2_000);
    });
  }

  it('says what went wrong: nobody there, broken off, no such name, too late already', async () => {
    assert.equal(await kindOf({ port: 1 }), 'unreachable');
    assert.equal(await kindOf({ path: '/broken' }), 'unreachable');
    assert.equal(await kindOf({ host: 'no-such-name.invalid' }), 'unresolvable');
    assert.equal(await kindOf({ signal: AbortSignal.abort() }), 'timeout');
  });

  describe('makes no connection to this machine unless allowed:', () => {
    const hostile = [
      'localhost', 'LOCALHOST', 'localhost.', 'matrix.localhost', 'a.b.localhost', 'matrix.localhost.',
      '127.0.0.1', '127.1', '127.0.1', '127.255.0.1', '2130706433', '0x7f000001', '0x7f.1', '0177.0.0.1', '017700000001', '0', '0.0.0.0',
      '::1', '::', '::ffff:127.0.0.1', '::ffff:7f00:1', '0:0:0:0:0:ffff:127.0.0.1', '::127.0.0.1', '64:ff9b::127.0.0.1', '2002:7f00:1::', 'fe80::1', 'fe80::1%lo', '::1%lo',
    ];
    for (const name of hostile) {
      it(name, async () => {
        const before = host.connections();
        const kind = await kindOf({ host: name, certificateName: name, hostHeader: name, policy: none });
        assert.ok(kind === 'forbiddenAddress' || kind === 'unresolvable', kind);
        assert.equal(host.connections(), before);
      });
    }
  });

  describe('when a name has several addresses or changes them', () => {
    const real = { callback: dns.lookup, promised: dns.promises.lookup };
    let lookups: number;

    /** From now on every name is at these addresses, one list after another. */
    function answerWith(...answers: { address: string; family: number }[][]): void {
      lookups = 0;
      const next = () => answers[Math.min(lookups++, answers.length - 1)] ?? [];
      Object.assign(dns, { lookup: (_name: string, _options: object, callback: (error: null, found: unknown) => void) => callback(null, next()) });
      Object.assign(dns.promises, { lookup: () => Promise.resolve(next()) });
      syncBuiltinESMExports();
    }
    afterEach(() => {
      Object.assign(dns, { lookup: real.callback });
      Object.assign(dns.promises, { lookup: real.promised });
      syncBuiltinESMExports();
    });

    const v4 = (...addresses: string[]) => addresses.map((address) => ({ address, family: 4 }));

    it('connects to the address that it checked, and asks once', async () => {
      await using allowedHost = await tlsHost({ names: ['rebound.example'], address: '127.0.0.2', answer: (_request, response) => void response.end('{}') });
      answerWith(v4('127.0.0.2'), v4('127.0.0.1'));
      const before = host.connections();
      assert.equal(await kindOf({ host: 'rebound.example', certificateName: 'rebound.example', port: allowedHost.port, policy: addressPolicy(['127.0.0.2']) }), 'answer 200');
      assert.deepEqual([lookups, allowedHost.connections(), host.connections() - before], [1, 1, 0]);
    });

    it('leaves out those that are forbidden', async () => {
      answerWith(v4('127.0.0.1', '10.0.0.1', '169.254.169.254'));
      const before = host.connections();
      assert.equal(await kindOf({ host: 'mixed.example', policy: none }), 'forbiddenAddress');
      answerWith(v4('169.254.169.254', '127.0.0.1'));
      assert.equal(await kindOf({ host: 'mixed.example' }), 'answer 200');
      assert.equal(host.connections() - before, 1);
    });
  });
});
