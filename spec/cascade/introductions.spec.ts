// Owns the proof that a key goes to neighbours only, is good once and briefly, and belongs to who asked for it.
import assert from 'node:assert/strict';
import { z } from 'zod';
import { askThroughHomeservers, Introductions } from '../../src/cascade/introductions.ts';
import { IssuedKeys } from '../../src/cascade/keys.ts';
import { refusalLog } from '../../src/cascade/refusals.ts';
import type { ServerName } from '../../src/call/ids.ts';
import { NotCarried } from '../../src/control/ports/introducer.ts';
import { silentLogger, type Logger } from '../../src/log/logger.ts';
import { serverName } from '../support/builders.ts';
import { virtualClock } from '../support/clocks.ts';

const finances = serverName('finances.example.org');
const defense = serverName('defense.example.org:8448');
const stranger = serverName('stranger.example.org');
const url = 'wss://visio.interieur.example.org/cascade';

describe('introductions', () => {
  const logged: string[] = [];
  const log: Logger = { ...silentLogger, warn: (message, keys) => void logged.push(`${message} ${JSON.stringify(keys)}`) };
  let clock = virtualClock();
  let introductions: Introductions;
  let keys: IssuedKeys;
  let refused: string[] = [];
  let nonces = 0;
  beforeEach(() => {
    clock = virtualClock();
    logged.length = 0;
    refused = [];
    keys = new IssuedKeys(clock, 30_000);
    introductions = new Introductions({ accepts: (server) => server === finances || server === defense, publicUrl: url, keys, clock, limits: { introductionsPerMinute: 10 }, refused: refusalLog(clock, log, (code, server) => refused.push(`${code} ${server ?? ''}`)) });
  });

  const body = (change: object = {}) => ({ versions: ['1.0'], nonce: String(++nonces).padStart(22, '0'), ...change });
  const ask = (origin: ServerName = finances, sent: unknown = body()) => {
    const { status, content } = introductions.answer(origin, sent);
    return { status, ...z.object({ errcode: z.string(), key: z.string(), versions: z.array(z.string()), retry_after_ms: z.number() }).partial().parse(content), content };
  };
  const keyFor = (origin: ServerName): string => ask(origin).key ?? assert.fail('no key');

  it('give a neighbour the version, the address and a key of 256 bits', () => {
    const { status, content, key } = ask();
    assert.equal(status, 200);
    assert.match(key ?? '', /^[A-Za-z0-9_-]{43}$/);
    assert.deepEqual(content, { version: '1.0', url, key });
    assert.equal(new Set(Array.from({ length: 5 }, () => keyFor(finances))).size, 5);
  });

  it('know by the key who asked, once', () => {
    const [one, other] = [keyFor(finances), keyFor(defense)];
    assert.equal(keys.redeem(other)?.server, defense);
    assert.equal(keys.redeem(one)?.server, finances);
    assert.equal(keys.redeem(one), undefined);
    assert.equal(keys.redeem(other), undefined);
  });

  it('forget a key after 30 seconds', () => {
    const [early, late] = [keyFor(finances), keyFor(finances)];
    clock.advance(29_999);
    assert.equal(keys.redeem(early)?.server, finances);
    clock.advance(1);
    assert.equal(keys.redeem(late), undefined);
  });

  it('know no invented key', () => {
    const key = keyFor(finances);
    for (const wrong of ['', key.slice(1), `${key}A`, key.toLowerCase() === key ? `${key}x` : key.toLowerCase()]) assert.equal(keys.redeem(wrong), undefined);
    assert.equal(keys.redeem(key)?.server, finances);
  });

  it('refuse who is not listed, whatever they send, with one line in the log', () => {
    for (const sent of [body(), {}, undefined, 'x']) assert.deepEqual([ask(stranger, sent).status, ask(stranger, sent).errcode], [403, 'M_FORBIDDEN']);
    assert.equal(logged.length, 1);
    assert.match(logged[0] ?? '', /stranger\.example\.org/);
    // A port is part of the name.
    assert.equal(ask(serverName('defense.example.org')).status, 403);
    assert.deepEqual(refused, [...Array.from({ length: 8 }, () => `notListed ${stranger}`), 'notListed defense.example.org']);
  });

  const nonsense: readonly (readonly [what: string, sent: unknown])[] = [
    ['nothing', null],
    ['a list', []],
    ['no versions', body({ versions: undefined })],
    ['an empty list of versions', body({ versions: [] })],
    ['too many versions', body({ versions: Array.from({ length: 33 }, () => '1.0') })],
    ['no nonce', body({ nonce: undefined })],
    ['a short nonce', body({ nonce: 'x'.repeat(21) })],
    ['a long nonce', body({ nonce: 'x'.repeat(65) })],
    ['a nonce of other characters', body({ nonce: `${'x'.repeat(30)}+/=` })],
  ];
  for (const [what, sent] of nonsense) {
    it(`refuse ${what}`, () => {
      assert.deepEqual([ask(finances, sent).status, ask(finances, sent).errcode], [400, 'M_BAD_JSON']);
    });
  }

  it('refuse an unknown major version with both lists in the log, and take newer minor ones', () => {
    const { status, errcode, versions } = ask(finances, body({ versions: ['2.0', '3.1', 'x\n'] }));
    assert.deepEqual([status, errcode, versions], [400, 'FR_VIADUC_VERSION', ['1.0']]);
    assert.match(logged.join(), /"ours":\["1\.0"\],"theirs":\["2\.0","3\.1"\]/);
    assert.equal(ask(finances, body({ versions: ['1.7', '2.0'] })).status, 200);
  });

  it('refuse a request that was sent before, from that neighbour', () => {
    const recorded = body();
    assert.equal(ask(finances, recorded).status, 200);
    assert.deepEqual([ask(finances, recorded).status, ask(defense, recorded).status], [403, 200]);
    clock.advance(599_999);
    assert.equal(ask(finances, recorded).status, 403);
    assert.deepEqual(refused, [`introductionReplay ${finances}`, `introductionReplay ${finances}`]);
  });

  it('refuse more than ten a minute, of each neighbour for itself', () => {
    for (let index = 0; index < 10; index += 1) assert.equal(ask().status, 200);
    clock.advance(20_000);
    const refused = ask();
    assert.deepEqual([refused.status, refused.errcode, refused.retry_after_ms], [429, 'M_LIMIT_EXCEEDED', 40_000]);
    assert.equal(ask(defense).status, 200);
    clock.advance(40_000);
    assert.equal(ask().status, 200);
  });

  it('print no key', async () => {
    const introducer = { ask: () => Promise.resolve({ status: 200, content: { version: '1.0', url, key: 'k'.repeat(43) } }) };
    const invitation = await askThroughHomeservers(introducer, finances, log);
    assert.ok(invitation.ok);
    assert.doesNotMatch(JSON.stringify(invitation), /kkk/);
    assert.equal(invitation.value.key.reveal(), 'k'.repeat(43));
  });

  it('are asked for with our versions and a new nonce each time', async () => {
    const sent: unknown[] = [];
    const introducer = {
      ask: (destination: ServerName, path: string, what: object) => {
        sent.push({ destination, path, ...what });
        return Promise.resolve({ status: 403, content: null });
      },
    };
    for (let index = 0; index < 2; index += 1) await askThroughHomeservers(introducer, finances, log);
    const parsed = z.array(z.object({ destination: z.literal(finances), path: z.literal('cascade/introduce'), versions: z.tuple([z.literal('1.0')]), nonce: z.string().regex(/^[A-Za-z0-9_-]{22,64}$/) })).parse(sent);
    assert.notEqual(parsed[0]?.nonce, parsed[1]?.nonce);
  });

  const answers: readonly (readonly [status: number, errcode: string | undefined, words: RegExp, isMissing?: boolean])[] = [
    [403, 'M_FORBIDDEN', /^finances\.example\.org refuses: its operator must list this bridge .*\(M_FORBIDDEN\)/],
    [404, 'M_UNRECOGNIZED', /lacks Synapse 1\.163 with experimental_features\.msc4512_enabled/, true],
    [401, 'M_UNAUTHORIZED', /does not take our homeserver's signature .*clocks/],
    [429, 'M_LIMIT_EXCEEDED', /asked too often .*look in both logs/],
    [500, 'M_UNKNOWN', /does not reach its bridge .*check that the bridge runs/],
    [504, undefined, /does not reach its bridge/],
    [503, 'M_UNKNOWN', /starts or stops/],
    [400, 'M_BAD_JSON', /does not understand .*M_BAD_JSON.* older of the two bridges/],
    [400, 'FR_VIADUC_VERSION', /ours 1\.0, theirs 2\.0: the older bridge must be updated/],
    [418, 'FR_OTHER', /status 418, "FR_OTHER"/],
  ];
  for (const [status, errcode, words, isMissing = false] of answers) {
    it(`say what to do about ${status} ${errcode ?? ''}`, async () => {
      const asked = await askThroughHomeservers({ ask: () => Promise.resolve({ status, content: { errcode, versions: ['2.0'] } }) }, finances, log);
      assert.ok(!asked.ok);
      assert.match(asked.error.detail, words);
      assert.equal(asked.error.isMissing, isMissing);
    });
  }

  it('do not exist where our homeserver knows nothing of them, which is not a fault of the line', async () => {
    const by = (error: Error) => askThroughHomeservers({ ask: () => Promise.reject(error) }, finances, log);
    assert.deepEqual(await by(new NotCarried('the homeserver carries none')), { ok: false, error: { isMissing: true, detail: 'the homeserver carries none' } });
    await assert.rejects(by(new Error('not reached')), /not reached/);
  });

  it('take no answer that is none', async () => {
    const good = { version: '1.0', url, key: 'k'.repeat(43) };
    for (const [change, words] of [[{ url: 'https://x.example' }, /url/], [{ url: 'wss://u:p@x.example/' }, /more than an address/], [{ key: 'k' }, /key/], [{ version: '2.0' }, /not offered: "2\.0"/]] as const) {
      const asked = await askThroughHomeservers({ ask: () => Promise.resolve({ status: 200, content: { ...good, ...change } }) }, finances, log);
      assert.ok(!asked.ok);
      assert.match(asked.error.detail, words);
    }
  });
});
