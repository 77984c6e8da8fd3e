// Owns the proof that the appservice listener answers as the specification says, to its homeserver only.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { z } from 'zod';
import { Secret, silentLogger, type Logger } from '../../src/log/logger.ts';
import { createAppservice } from '../../src/matrix/appservice.ts';
import { createProxiedRoutes } from '../../src/matrix/proxied-routes.ts';
import { userId } from '../support/builders.ts';

const token = 'the-homeserver-token';
const bot = '@visio:interieur.example.org';

describe('the appservice listener', () => {
  let server: Server;
  let url: string;
  let accepted: unknown[];
  let fault: Error | undefined;
  const logged: unknown[] = [];

  before(async () => {
    const log: Logger = { ...silentLogger, warn: (...entry) => void logged.push(entry), error: (...entry) => void logged.push(entry) };
    const proxied = createProxiedRoutes({ log });
    proxied.answer('echo', (origin, body) => Promise.resolve({ status: 201, content: { origin, body } }));
    proxied.answer('broken', () => Promise.reject(new Error('secret of the bridge')));
    const app = createAppservice({
      hsToken: new Secret(token),
      bot: userId(bot),
      accept: (events) => {
        if (fault !== undefined) throw fault;
        accepted.push(...events);
      },
      proxied: proxied.handle,
      log,
    });
    server = createServer(app);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    server.listen(0, '127.0.0.1', () => resolve(undefined));
    await promise;
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  beforeEach(() => {
    accepted = [];
    fault = undefined;
    logged.length = 0;
  });

  interface Ask {
    readonly method?: string;
    readonly path: string;
    readonly body?: string;
    readonly authorization?: string | undefined;
  }
  async function ask({ method = 'GET', path, body, authorization = `Bearer ${token}` }: Ask) {
    const response = await fetch(url + path, { method, headers: { ...(authorization !== '' && { authorization }), 'content-type': 'application/json' }, ...(body !== undefined && { body }) });
    const text = await response.text();
    const json: unknown = JSON.parse(text);
    return { status: response.status, errcode: z.object({ errcode: z.string().optional() }).parse(json).errcode, json };
  }
  const brief = async (request: Ask) => {
    const { status, errcode } = await ask(request);
    return errcode === undefined ? `${status}` : `${status} ${errcode}`;
  };
  const transaction = (change: Partial<Ask> = {}): Ask => ({ method: 'PUT', path: '/_matrix/app/v1/transactions/7', body: '{"events":[1,2]}', ...change });

  it('takes over a transaction and answers an empty object', async () => {
    assert.deepEqual(await ask(transaction()), { status: 200, errcode: undefined, json: {} });
    assert.deepEqual(accepted, [1, 2]);
  });

  const answers: readonly (readonly [what: string, request: Ask, answer: string])[] = [
    ['a transaction at the old address', transaction({ path: '/transactions/7' }), '200'],
    ['a transaction with an encoded id', transaction({ path: '/_matrix/app/v1/transactions/a%2Fb' }), '200'],
    ['a transaction with more in it', transaction({ body: '{"events":[],"ephemeral":[],"de.sorunome.msc2409.to_device":[]}' }), '200'],
    ['no token', transaction({ authorization: '' }), '401 M_UNAUTHORIZED'],
    ['another token', transaction({ authorization: 'Bearer other' }), '403 M_FORBIDDEN'],
    ['a token that begins alike', transaction({ authorization: `Bearer ${token}x` }), '403 M_FORBIDDEN'],
    ['a part of the token', transaction({ authorization: `Bearer ${token.slice(0, -1)}` }), '403 M_FORBIDDEN'],
    ['an empty token', transaction({ authorization: 'Bearer ' }), '401 M_UNAUTHORIZED'],
    ['a token of another kind', transaction({ authorization: `Basic ${token}` }), '401 M_UNAUTHORIZED'],
    ['the token in the address', transaction({ authorization: '', path: `/_matrix/app/v1/transactions/7?access_token=${token}` }), '401 M_UNAUTHORIZED'],
    ['an unknown address without a token', { path: '/x', authorization: '' }, '401 M_UNAUTHORIZED'],
    ['no JSON', transaction({ body: '{' }), '400 M_NOT_JSON'],
    ['no body', transaction({ body: '' }), '400 M_BAD_JSON'],
    ['no events', transaction({ body: '{}' }), '400 M_BAD_JSON'],
    ['events that are no list', transaction({ body: '{"events":{}}' }), '400 M_BAD_JSON'],
    ['a list', transaction({ body: '[]' }), '400 M_BAD_JSON'],
    ['a text', transaction({ body: '"x"' }), '400 M_NOT_JSON'],
    ['too much', transaction({ body: `{"events":["${'x'.repeat(33 * 1024 * 1024)}"]}` }), '413 M_TOO_LARGE'],
    ['a broken address', transaction({ path: '/_matrix/app/v1/transactions/%zz' }), '400 M_NOT_JSON'],
    ['a transaction by another method', transaction({ method: 'POST' }), '405 M_UNRECOGNIZED'],
    ['the bot', { path: `/_matrix/app/v1/users/${encodeURIComponent(bot)}` }, '200'],
    ['another user', { path: `/_matrix/app/v1/users/${encodeURIComponent('@visio_x:interieur.example.org')}` }, '404 M_NOT_FOUND'],
    ['a user at the old address', { path: `/users/${encodeURIComponent('@x:y.example')}` }, '404 M_NOT_FOUND'],
    ['an alias', { path: `/_matrix/app/v1/rooms/${encodeURIComponent('#x:y.example')}` }, '404 M_NOT_FOUND'],
    ['an alias at the old address', { path: `/rooms/${encodeURIComponent('#x:y.example')}` }, '404 M_NOT_FOUND'],
    ['a ping', { method: 'POST', path: '/_matrix/app/v1/ping', body: '{"transaction_id":"x"}' }, '200'],
    ['a ping by another method', { path: '/_matrix/app/v1/ping' }, '405 M_UNRECOGNIZED'],
    ['third party networks', { path: '/_matrix/app/v1/thirdparty/protocol/irc' }, '404 M_NOT_FOUND'],
    ['another address', { path: '/_matrix/app/v1/else' }, '404 M_UNRECOGNIZED'],
    ['the bottom', { path: '/' }, '404 M_UNRECOGNIZED'],
  ];
  for (const [what, request, answer] of answers) {
    it(`${what}: ${answer}`, async () => {
      assert.equal(await brief(request), answer);
      if (answer !== '200') assert.deepEqual(accepted, []);
    });
  }

  describe('hands on what other servers ask', () => {
    const way = '/proxied/_matrix/federation/unstable/fr.viaduc/rtc/livekit';
    async function proxied(path: string, { method = 'POST', body = '{"a":1}', origin = 'finances.example.org', authorization = `Bearer ${token}` }: { method?: string; body?: string; origin?: string; authorization?: string } = {}) {
      const response = await fetch(url + path, { method, headers: { ...(authorization !== '' && { authorization }), ...(origin !== '' && { 'x-matrix-origin': origin }), 'content-type': 'application/json' }, ...(method !== 'GET' && { body }) });
      const json: unknown = await response.json();
      return { status: response.status, json, brief: `${response.status} ${z.object({ errcode: z.string() }).safeParse(json).data?.errcode ?? ''}`.trim() };
    }

    it('with their name and their words', async () => {
      const { status, json } = await proxied(`${way}/echo`);
      assert.deepEqual([status, json], [201, { origin: 'finances.example.org', body: { a: 1 } }]);
      assert.deepEqual((await proxied(`${way}/echo`, { origin: 'finances.example.org:8448' })).status, 201);
    });

    const refusals: readonly (readonly [what: string, path: string, change: Parameters<typeof proxied>[1], answer: string])[] = [
      ['without the homeserver\'s token', `${way}/echo`, { authorization: '' }, '401 M_UNAUTHORIZED'],
      ['with another token', `${way}/echo`, { authorization: 'Bearer x' }, '403 M_FORBIDDEN'],
      ['without an origin', `${way}/echo`, { origin: '' }, '400 M_INVALID_PARAM'],
      ['with an origin that is no server name', `${way}/echo`, { origin: 'a b' }, '400 M_INVALID_PARAM'],
      ['with two origins', `${way}/echo`, { origin: 'a.example, b.example' }, '400 M_INVALID_PARAM'],
      ['by another method', `${way}/echo`, { method: 'GET' }, '405 M_UNRECOGNIZED'],
      ['at another path', `${way}/other`, {}, '404 M_UNRECOGNIZED'],
      ['at a path that only begins alike', `${way}/echo/x`, {}, '404 M_UNRECOGNIZED'],
      ['at another spelling of the path', `${way}/Echo`, {}, '404 M_UNRECOGNIZED'],
      ['in another namespace', '/proxied/_matrix/federation/v1/rtc/livekit/echo', {}, '404 M_UNRECOGNIZED'],
      ['of clients', '/proxied/_matrix/client/v1/rtc/livekit/echo', {}, '404 M_UNRECOGNIZED'],
      ['that are no JSON', `${way}/echo`, { body: '{' }, '400 M_NOT_JSON'],
      ['that are no object', `${way}/echo`, { body: '"x"' }, '400 M_NOT_JSON'],
      ['that are too large', `${way}/echo`, { body: JSON.stringify({ a: 'x'.repeat(64 * 1024) }) }, '413 M_TOO_LARGE'],
    ];
    for (const [what, path, change, answer] of refusals) {
      it(`not requests ${what}: ${answer}`, async () => {
        assert.equal((await proxied(path, change)).brief, answer);
      });
    }

    it('and says of a failure only where to look', async () => {
      const { status, json } = await proxied(`${way}/broken`);
      assert.equal(status, 500);
      const ref = /\(([a-z2-9]{8})\)/.exec(JSON.stringify(json))?.[1];
      assert.ok(ref !== undefined && JSON.stringify(logged).includes(ref));
      assert.doesNotMatch(JSON.stringify(json), /secret/);
    });
  });

  it('does not acknowledge what could not be saved, and gives the log\'s reference', async () => {
    fault = new Error('disk full');
    const { status, json } = await ask(transaction());
    assert.equal(status, 500);
    const ref = /\(([a-z2-9]{8})\)/.exec(JSON.stringify(json))?.[1];
    assert.ok(ref !== undefined && JSON.stringify(logged).includes(ref));
    assert.doesNotMatch(JSON.stringify(json), /disk full/);
    fault = undefined;
    assert.equal(await brief(transaction()), '200');
  });

  it('never writes the token to the log', async () => {
    for (const [, request] of answers) await ask(request);
    assert.ok(logged.length > 0);
    assert.doesNotMatch(JSON.stringify(logged), new RegExp(token));
  });

  it('says nothing of what it runs on', async () => {
    const response = await fetch(`${url}/_matrix/app/v1/ping`, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
    assert.equal(response.headers.get('x-powered-by'), null);
  });
});
