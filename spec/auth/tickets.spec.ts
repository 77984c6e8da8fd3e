// Specifies tickets and sign-ins: what is taken, and the many ways in which a text is not.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { loadSigningKeys } from '../../src/auth/signing-key.ts';
import { createSignIns, createTickets } from '../../src/auth/tickets.ts';
import { alice, callId, participant, serverName } from '../support/builders.ts';
import { virtualClock } from '../support/clocks.ts';

const key = new Uint8Array(32).fill(1);
const server = serverName('interieur.example.org');
const call = callId('C_abcdefgh');
const identity = participant(alice, { name: 'Alice' });
const lifetimeMs = 600_000;

describe('ticket', () => {
  it('carries call, identity and grants, and is good until its end', async () => {
    const clock = virtualClock();
    const tickets = createTickets({ key, server, clock, lifetimeMs });
    const text = await tickets.mint(call, identity);
    clock.advance(lifetimeMs - 1000);
    const ticket = await tickets.verify(text);
    assert(ticket.ok);
    assert.deepEqual({ callId: ticket.value.callId, identity: ticket.value.identity.identity, user: ticket.value.identity.user, name: ticket.value.identity.name }, { callId: call, identity: `${alice}:DEVICE`, user: alice, name: 'Alice' });
    const claims = decodeJwt(text);
    assert.deepEqual(claims['video'], { room: call, roomJoin: true, canPublish: true, canSubscribe: true, canPublishData: true, canUpdateOwnMetadata: true, canPublishSources: ['camera', 'microphone', 'screen_share', 'screen_share_audio'] });
    clock.advance(2000);
    assert.equal((await tickets.verify(text)).ok, false);
  });

  it('has claims that a browser\'s atob can read, whatever is in them', async () => {
    const tickets = createTickets({ key, server, clock: virtualClock(), lifetimeMs });
    for (const start of ['', 'x', 'xx']) {
      const name = `${start}Lefèvre >>>???~~~ÿÿÿ🎥`;
      const text = await tickets.mint(call, { ...identity, name });
      assert.deepEqual(JSON.parse(atob(text.split('.')[1] ?? '')), decodeJwt(text));
      const ticket = await tickets.verify(text);
      assert.equal(ticket.ok && ticket.value.identity.name, name);
    }
  });

  const forgeries: Readonly<Record<string, () => Promise<string> | string>> = {
    'nothing': () => '',
    'no token at all': () => 'a.b.c',
    'another key': () => createTickets({ key: new Uint8Array(32).fill(2), server, clock: virtualClock(), lifetimeMs }).mint(call, identity),
    'another bridge': () => createTickets({ key, server: serverName('finances.example.org'), clock: virtualClock(), lifetimeMs }).mint(call, identity),
    'no signature (alg none)': async () => new UnsecuredJWT(decodeJwt(await mint())).encode(),
    'a changed payload': async () => {
      const [head = '', , tail = ''] = (await mint()).split('.');
      return [head, Buffer.from(JSON.stringify({ ...decodeJwt(await mint()), sub: '@mallory:interieur.example.org:X' })).toString('base64url'), tail].join('.');
    },
    'an asymmetric algorithm': async () => {
      const pair = await generateKeyPair('RS256', { extractable: true });
      assert((await exportJWK(pair.publicKey)).n !== undefined);
      return new SignJWT(decodeJwt(await mint())).setProtectedHeader({ alg: 'RS256' }).sign(pair.privateKey);
    },
    'HS512 with our key': async () => new SignJWT(decodeJwt(await mint())).setProtectedHeader({ alg: 'HS512' }).sign(key),
    'not yet valid': () => createTickets({ key, server, clock: virtualClock(1_700_000_600_000), lifetimeMs }).mint(call, identity),
    'no end': async () => {
      const { exp: _, ...claims } = decodeJwt(await mint());
      return new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(key);
    },
    'a sign-in': () => createSignIns({ key, server, clock: virtualClock() }).mint({ id: 'x', user: alice, expiresAtMs: 1_700_000_600_000 }),
    'claims of another shape': async () => new SignJWT({ ...decodeJwt(await mint()), viaduc: { call: '../x', user: alice, device: 'D', role: 'owner' } }).setProtectedHeader({ alg: 'HS256' }).sign(key),
    'a grown role': async () => {
      const claims = decodeJwt(await mint());
      return new SignJWT({ ...claims, viaduc: { call, user: alice, device: 'D', role: 'emperor' } }).setProtectedHeader({ alg: 'HS256' }).sign(key);
    },
  };
  const mint = (): Promise<string> => createTickets({ key, server, clock: virtualClock(), lifetimeMs }).mint(call, identity);
  for (const [what, forge] of Object.entries(forgeries)) {
    it(`is refused: ${what}`, async () => {
      const result = await createTickets({ key, server, clock: virtualClock(), lifetimeMs }).verify(await forge());
      assert.equal(result.ok ? 'taken' : result.error.code, 'ticketInvalid');
    });
  }
});

describe('sign-in', () => {
  it('names its user until its end, and a ticket is none', async () => {
    const clock = virtualClock();
    const signIns = createSignIns({ key, server, clock });
    const text = await signIns.mint({ id: 'one', user: alice, expiresAtMs: clock.nowMs() + 5000 });
    assert.deepEqual(await signIns.verify(text), { ok: true, value: { id: 'one', user: alice, expiresAtMs: clock.nowMs() + 5000 } });
    clock.advance(6000);
    assert.equal((await signIns.verify(text)).ok, false);
    const ticket = await createTickets({ key, server, clock, lifetimeMs }).mint(call, identity);
    assert.equal((await signIns.verify(ticket)).ok, false);
  });
});

describe('signing key', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'viaduc-key-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is made once, for the owner alone, and one key for each use', () => {
    const first = loadSigningKeys(folder);
    assert.deepEqual(loadSigningKeys(folder), first);
    assert.notDeepEqual(first.ticket, first.signIn);
    assert.equal(statSync(join(folder, 'signing.key')).mode & 0o777, 0o600);
    assert(readFileSync(join(folder, 'signing.key')).length > 40);
  });

  it('is never replaced by a guessable one', () => {
    writeFileSync(join(folder, 'signing.key'), 'short');
    assert.throws(() => loadSigningKeys(folder), /32 bytes/);
  });
});
