// Specifies the public listener over real HTTP: shapes, refusals, headers, limits.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { memberIdentity } from '../../src/auth/rtc-identity.ts';
import { rtcRoutes } from '../../src/auth/rtc-routes.ts';
import { callError, type CallError } from '../../src/call/errors.ts';
import type { Slug } from '../../src/call/ids.ts';
import type { AdmissionRequest, Admitted } from '../../src/control/admission.ts';
import type { HandedLeave } from '../../src/control/ports/leave-store.ts';
import type { Route } from '../../src/control/ports/route.ts';
import { openListener, type Listener } from '../../src/http/listener.ts';
import { createPublicApp } from '../../src/http/public-app.ts';
import { silentLogger } from '../../src/log/logger.ts';
import { err, ok, type Result } from '../../src/util/result.ts';
import { alice, callAfter, participant, serverName, userId } from '../support/builders.ts';
import { specBasePort } from '../support/run.ts';

const port = specBasePort() + 50;
const base = `http://127.0.0.1:${port}`;

describe('public listener', () => {
  let folder: string;
  let listener: Listener;
  let asked: AdmissionRequest[];
  let kept: HandedLeave[];
  let answer: Result<Admitted, CallError>;
  const post = (path: string, body: string, headers: Record<string, string> = {}): Promise<Response> => fetch(base + path, { method: 'POST', body, headers });
  const good = { room: '!room:interieur.example.org', device_id: 'DEV', openid_token: { access_token: 'secret', token_type: 'Bearer', matrix_server_name: 'interieur.example.org', expires_in: 3600 } };

  const home = 'https://visio.finances.example.org/c/theirs';
  const homes = { homeOf: (slug: string, user: string) => (slug.startsWith('shared') && user === '@bob:finances.example.org' ? home : undefined), framedBy: (slug: string) => (slug.startsWith('shared') ? ['https://visio.defense.example.org'] : []) };
  const page = () => ({ pageFolder: folder, homes, pageOf: (slug: Slug) => `https://visio.example.org/c/${slug}` });

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'viaduc-page-'));
    mkdirSync(join(folder, 'assets'));
    writeFileSync(join(folder, 'index.html'), '<!doctype html><title>page</title>');
    writeFileSync(join(folder, 'home-frame.html'), '<!doctype html><title>frame</title><iframe data-src=""></iframe>');
    writeFileSync(join(folder, 'assets/a-1.js'), '1');
    asked = [];
    kept = [];
    const call = callAfter();
    answer = ok({ ticket: 'the-ticket', url: undefined, callId: call.id, call, identity: participant(alice), roomName: undefined, language: 'fr' });
    const admission = {
      admit: (request: AdmissionRequest) => {
        asked.push(request);
        return Promise.resolve(answer);
      },
    };
    const leaves = {
      keep: (leave: HandedLeave) => {
        kept.push(leave);
        return ok(undefined);
      },
    };
    const app = createPublicApp({ routes: rtcRoutes({ admission, leaves, server: serverName('interieur.example.org'), liveKitUrl: 'wss://visio.example.org' }), ...page(), frameAncestors: ['https://element.example.org'], trustedProxies: ['127.0.0.1'], liveKitUrls: ['wss://visio.example.org'], log: silentLogger });
    listener = await openListener({ name: 'public', host: '127.0.0.1', port, handle: app });
  });
  afterEach(async () => {
    await listener.close();
    rmSync(folder, { recursive: true });
  });

  it('answers /sfu/get with the shape of the MatrixRTC authorisation service, to every origin, whatever more is sent', async () => {
    const response = await post('/sfu/get', JSON.stringify({ ...good, delay_id: 'x', something: { new: true } }), { origin: 'https://element.example.org' });
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { url: 'wss://visio.example.org', jwt: 'the-ticket' });
    assert.equal(response.headers.get('access-control-allow-origin'), '*');
    assert.equal(response.headers.get('cache-control'), 'no-store');
    assert.deepEqual(asked, [{ proof: { kind: 'openId', token: { accessToken: 'secret', matrixServerName: 'interieur.example.org' } }, at: { kind: 'room', room: '!room:interieur.example.org' }, device: 'DEV' }]);
  });

  it('takes over the leave that somebody of our homeserver has left there, and nobody else\'s', async () => {
    const withLeave = JSON.stringify({ ...good, delay_id: 'delay-1', delay_timeout: 3_600_000, delay_cs_api_url: 'https://matrix.example.org' });
    await post('/sfu/get', withLeave);
    const [first] = kept;
    assert.deepEqual(first, { room: good.room, identity: `${alice}:DEVICE`, delayId: 'delay-1', delayMs: 3_600_000 });
    if (answer.ok) answer = ok({ ...answer.value, identity: participant(userId('@bob:finances.example.org')) });
    assert.equal((await post('/sfu/get', withLeave)).status, 200);
    answer = err(callError('forbidden', 'not joined'));
    await post('/sfu/get', withLeave);
    assert.equal(kept.length, 1);
  });

  const asMember = { room_id: good.room, slot_id: 'm.call#ROOM', openid_token: good.openid_token, member: { id: 'memberABC', claimed_user_id: alice, claimed_device_id: 'DEV' } };

  it('answers /get_token alike, for a session that is named after its membership', async () => {
    const response = await post('/get_token', JSON.stringify({ ...asMember, delay_id: 'delay-1', delay_timeout: 3_600_000 }), { origin: 'https://element.example.org' });
    assert.deepEqual(await response.json(), { url: 'wss://visio.example.org', jwt: 'the-ticket' });
    assert.equal(response.headers.get('access-control-allow-origin'), '*');
    assert.deepEqual(asked, [{
      proof: { kind: 'openId', token: { accessToken: 'secret', matrixServerName: 'interieur.example.org' } },
      at: { kind: 'room', room: good.room },
      device: 'DEV',
      claimed: { user: alice, identity: memberIdentity(alice, 'DEV', 'memberABC') },
    }]);
    assert.deepEqual(kept.map(({ delayId }) => delayId), ['delay-1']);
  });

  const malformed: Readonly<Record<string, object>> = {
    'another slot': { ...asMember, slot_id: 'm.call#other' },
    'no membership': { ...asMember, member: undefined },
    'a claim to be nobody': { ...asMember, member: { ...asMember.member, claimed_user_id: 'alice' } },
  };
  for (const [what, body] of Object.entries(malformed)) {
    it(`refuses /get_token with ${what}`, async () => {
      const response = await post('/get_token', JSON.stringify(body));
      assert.equal(response.status, 400);
      assert.equal(z.object({ errcode: z.string() }).parse(await response.json()).errcode, 'M_BAD_JSON');
      assert.deepEqual(asked, []);
    });
  }

  it('says by 404 that it takes no leave but with a ticket', async () => {
    const response = await post('/delegate_delayed_leave', '', { origin: 'https://element.example.org' });
    assert.equal(response.status, 404);
    assert.equal(response.headers.get('access-control-allow-origin'), '*');
  });

  it('answers a preflight', async () => {
    const response = await fetch(`${base}/sfu/get`, { method: 'OPTIONS', headers: { origin: 'https://x.example', 'access-control-request-method': 'POST' } });
    assert.equal(response.status, 204);
    assert.match(response.headers.get('access-control-allow-headers') ?? '', /Content-Type/);
  });

  const refusals: readonly (readonly [string, string, number, string])[] = [
    ['no JSON', 'no json', 400, 'M_NOT_JSON'],
    ['nothing', '', 400, 'M_BAD_JSON'],
    ['a room that is none', JSON.stringify({ ...good, room: '#alias:x' }), 400, 'M_BAD_JSON'],
    ['a device with a line break', JSON.stringify({ ...good, device_id: 'a\nb' }), 400, 'M_BAD_JSON'],
    ['no token', JSON.stringify({ ...good, openid_token: undefined }), 400, 'M_BAD_JSON'],
    ['a token of another type', JSON.stringify({ ...good, openid_token: { access_token: { $gt: '' }, matrix_server_name: 1 } }), 400, 'M_BAD_JSON'],
    ['too much', JSON.stringify({ ...good, padding: 'x'.repeat(20_000) }), 413, 'M_TOO_LARGE'],
    ['a polluted prototype', `{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}`, 400, 'M_BAD_JSON'],
  ];
  for (const [what, body, status, errcode] of refusals) {
    it(`refuses ${what} with ${status} ${errcode}`, async () => {
      const response = await post('/sfu/get', body, { 'content-type': 'text/plain' });
      assert.equal(response.status, status);
      const json = (await response.json()) as { errcode: string; ref: string };
      assert.equal(json.errcode, errcode);
      assert.match(json.ref, /^[0-9a-f]{8}$/);
      assert.equal(asked.length, 0);
      assert.equal(Reflect.get({}, 'polluted'), undefined);
    });
  }

  it('refuses with the same body for no room and no member', async () => {
    const bodies = await Promise.all(
      ['no such page address', '@x is not joined'].map(async (detail) => {
        answer = err(callError('forbidden', detail));
        const response = await post('/sfu/get', JSON.stringify(good));
        const { ref: _, ...body } = (await response.json()) as Record<string, unknown>;
        return { status: response.status, body };
      }),
    );
    assert.deepEqual(bodies[0], bodies[1]);
    assert.equal(bodies[0]?.status, 403);
  });

  it('tells when to come back', async () => {
    answer = err(callError('homeserverUnavailable', 'down', 2500));
    const response = await post('/sfu/get', JSON.stringify(good));
    assert.equal(response.status, 503);
    assert.equal(response.headers.get('retry-after'), '3');
    assert.equal(((await response.json()) as { retry_after_ms: number }).retry_after_ms, 2500);
  });

  it('limits one address, seen through the trusted proxy, and no other', async () => {
    const from = (address: string): Promise<Response> => post('/sfu/get', JSON.stringify(good), { 'x-forwarded-for': address });
    let refused = 0;
    for (let n = 0; n < 250; n++) if ((await from('192.0.2.1')).status === 429) refused++;
    assert.equal(refused, 10);
    assert.equal((await from('192.0.2.2')).status, 200);
  });

  it('tells a route where its request comes from: an IPv4 address, or the network of an IPv6 address', async () => {
    const sources: string[] = [];
    const route: Route = { method: 'POST', path: '/from', perMinute: 10, anyOrigin: false, run: ({ source }) => (sources.push(source), Promise.resolve(ok({}))) };
    const app = createPublicApp({ routes: [route], ...page(), frameAncestors: [], trustedProxies: ['127.0.0.1'], liveKitUrls: [], log: silentLogger });
    const other = await openListener({ name: 'public', host: '127.0.0.1', port: port + 1, handle: app });
    for (const address of ['192.0.2.1', '192.0.2.2', '2001:db8:0:1::1', '2001:db8:0:2::2', '2001:db9::1']) await fetch(`http://127.0.0.1:${port + 1}/from`, { method: 'POST', body: '{}', headers: { 'x-forwarded-for': address } });
    await other.close();
    assert.deepEqual(sources.slice(0, 2), ['192.0.2.1', '192.0.2.2']);
    assert.equal(sources[2], sources[3]);
    assert.notEqual(sources[3], sources[4]);
  });

  it('serves the page under every address with a policy that names who may frame it', async () => {
    for (const path of ['/c/abcdefghijklmnopqrst', '/c/nothing']) {
      const response = await fetch(base + path);
      assert.equal(response.status, 200);
      assert.match(await response.text(), /<title>page/);
      const policy = response.headers.get('content-security-policy') ?? '';
      assert.match(policy, /frame-ancestors 'self' https:\/\/element\.example\.org$/);
      assert.match(policy, /default-src 'none'/);
      assert(!policy.includes('unsafe-'));
    }
  });

  const shared = 'shared77shared77shared77';
  const bob = '@bob:finances.example.org';
  const get = (path: string, query: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}): Promise<Response> => fetch(`${base}${path}?${new URLSearchParams(query).toString()}`, { headers, redirect: 'manual' });

  it('shows a widget of another organisation its own bridge\'s page, in a frame that may show nothing else', async () => {
    const response = await get(`/c/${shared}`, { userId: bob, widgetId: 'w&"1', parentUrl: 'https://element.example.org/', lang: 'fr' }, { 'sec-fetch-dest': 'iframe' });
    const text = await response.text();
    const address = /data-src="(?<address>[^"]+)"/.exec(text)?.groups?.['address']?.replaceAll('&amp;', '&') ?? '';
    const { origin, pathname, searchParams } = new URL(address);
    assert.deepEqual([origin + pathname, Object.fromEntries(searchParams)], [home, { userId: bob, widgetId: 'w&"1', lang: 'fr', parentUrl: `https://visio.example.org/c/${shared}` }]);
    const policy = response.headers.get('content-security-policy') ?? '';
    assert.match(policy, /frame-src https:\/\/visio\.finances\.example\.org;/);
    assert.match(policy, /frame-ancestors 'self' https:\/\/element\.example\.org$/);
    assert(!policy.includes('connect-src'));
  });

  it('sends somebody of another organisation who opens the page by itself to their own bridge', async () => {
    for (const [query, headers] of [[{ userId: bob, lang: 'fr' }, {}], [{ userId: bob, lang: 'fr', widgetId: 'w', parentUrl: 'https://element.example.org/' }, { 'sec-fetch-dest': 'document' }]] as const) {
      const response = await get(`/c/${shared}`, query, headers);
      assert.equal(response.status, 302);
      assert.equal(response.headers.get('location'), `${home}?${new URLSearchParams(query).toString()}`);
      assert.equal(response.headers.get('cache-control'), 'no-store');
    }
  });

  it('serves its own page to everybody else, whatever they say, and lets the neighbours of that call frame it', async () => {
    const rows: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
      [`/c/${shared}`, {}],
      [`/c/${shared}`, { userId: '@alice:interieur.example.org', widgetId: 'w', parentUrl: 'https://element.example.org/' }],
      [`/c/${shared}`, { userId: '@bob:finances.example.org:evil', home: 'https://evil.example' }],
      ['/c/abcdefghijklmnopqrst', { userId: bob }],
      ['/c/SHARED', { userId: bob }],
    ];
    for (const [path, query] of rows) {
      const response = await get(path, query);
      assert.equal(response.status, 200, path);
      assert.match(await response.text(), /<title>page/);
      assert.equal((response.headers.get('content-security-policy') ?? '').endsWith('https://visio.defense.example.org'), path.includes(shared));
    }
  });

  it('serves assets for a year and nothing outside their folder', async () => {
    const asset = await fetch(`${base}/c/assets/a-1.js`);
    assert.match(asset.headers.get('cache-control') ?? '', /immutable/);
    assert.equal(asset.headers.get('x-content-type-options'), 'nosniff');
    for (const path of ['/c/assets/..%2f..%2f..%2fetc%2fpasswd', '/c/assets/none.js']) assert.equal((await fetch(base + path)).status, 404);
  });

  it('answers an unknown address in JSON', async () => {
    const response = await fetch(`${base}/sfu/nothing`, { method: 'POST', body: '{}' });
    assert.equal(response.status, 404);
    assert.equal(((await response.json()) as { errcode: string }).errcode, 'M_UNRECOGNIZED');
  });

  it('tells of a fault of ours by its reference, and keeps the secrets of the address out of the log', async () => {
    const logged: Readonly<Record<string, unknown>>[] = [];
    const log = { ...silentLogger, error: (message: string, keys: Readonly<Record<string, unknown>> = {}) => logged.push({ message, ...keys }) };
    const broken: Route = { method: 'GET', path: '/api/pairings/:pairing', perMinute: 10, anyOrigin: false, run: () => Promise.reject(new Error('a bug')) };
    const app = createPublicApp({ routes: [broken], ...page(), frameAncestors: [], trustedProxies: [], liveKitUrls: [], log });
    await listener.close();
    listener = await openListener({ name: 'public', host: '127.0.0.1', port, handle: app });
    const response = await fetch(`${base}/api/pairings/its-secret`);
    assert.equal(response.status, 500);
    const { errcode, ref } = z.object({ errcode: z.string(), ref: z.string() }).parse(await response.json());
    assert.equal(errcode, 'M_UNKNOWN');
    assert.deepEqual(logged.map(({ message, ref: inLog, path }) => ({ message, ref: inLog, path })), [{ message: 'request failed', ref, path: '/api/pairings' }]);
  });

  it('says which port is taken', async () => {
    await assert.rejects(openListener({ name: 'second', host: '127.0.0.1', port, handle: () => undefined }), new RegExp(`the second listener cannot open 127\\.0\\.0\\.1:${port}: another program listens there`));
  });

  it('closes though a client keeps its connection', async () => {
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await listener.close();
    await closed;
    listener = await openListener({ name: 'public', host: '127.0.0.1', port, handle: () => undefined });
  });
});
