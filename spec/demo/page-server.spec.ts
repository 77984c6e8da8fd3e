// Owns the proof that the demo's page server gives the page, what it needs to know, and nothing else of the disk.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { demoInfoSchema, type DemoInfo } from '../../src/demo/demo-info.ts';
import { startPageServer } from '../../src/demo/page-server.ts';
import { specBasePort } from '../support/run.ts';

const info: DemoInfo = {
  language: 'fr',
  roomId: '!room',
  command: '!visio',
  botUserIds: ['@visio:interieur.localhost:1'],
  callOrigins: ['http://interieur.localhost:4'],
  columns: [{ organisation: 'interieur', organisationName: { fr: 'Intérieur', en: 'Interior' }, serverName: 'interieur.localhost:1', homeserverUrl: 'http://interieur.localhost:2', localpart: 'alice', displayName: 'Alice', password: 'x' }],
};

describe('page server of the demo', () => {
  const port = specBasePort() - 40;
  let server: AsyncDisposable;
  before(async () => {
    server = await startPageServer(port, info);
  });
  after(async () => server[Symbol.asyncDispose]());

  /** Paths as written: fetch would tidy them. */
  const statusOf = async (path: string, method = 'GET'): Promise<number | undefined> => {
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    request({ host: '127.0.0.1', port, path, method }, (response) => resolve(response.resume().statusCode)).on('error', reject).end();
    return promise;
  };

  it('serves the page under a policy that lets it reach its homeservers and show calls only', async () => {
    const response = await fetch(`http://127.0.0.1:${port}/`);
    assert.match(await response.text(), /<div id="page">/);
    const policy = response.headers.get('content-security-policy') ?? '';
    assert.match(policy, /connect-src 'self' http:\/\/interieur\.localhost:2;/);
    assert.match(policy, /frame-src http:\/\/interieur\.localhost:4;/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.equal(response.headers.get('permissions-policy'), 'camera=(self "http://interieur.localhost:4"), microphone=(self "http://interieur.localhost:4")');
  });

  it('tells the page about the demo', async () => {
    const response = await fetch(`http://127.0.0.1:${port}/demo.json`);
    assert.deepEqual(demoInfoSchema.parse(await response.json()), info);
  });

  it('gives nothing outside the built page', async () => {
    for (const path of ['/../../package.json', '/%2e%2e/web/index.html', '/..%2fweb/index.html', '/nothing.js', '/index.html.map', '//etc/passwd', '/\\..\\..\\package.json']) assert.equal(await statusOf(path), 404, path);
    assert.equal(await statusOf('/', 'POST'), 404);
  });
});
