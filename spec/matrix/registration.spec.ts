// Owns the proof that a registration is written once, safely, and that a faulty one is refused in words.
import assert from 'node:assert/strict';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { makeRegistration } from '../../src/matrix/make-registration.ts';
import { parseRegistration } from '../../src/matrix/registration.ts';
import { serverName } from '../support/builders.ts';

const expected = { serverName: serverName('interieur.example.org:8448'), botLocalpart: 'visio' };
const make = (change: Partial<Parameters<typeof makeRegistration>[0]> = {}) => makeRegistration({ ...expected, url: 'http://127.0.0.1:9340', ...change });
const content = (text: string) => z.record(z.string(), z.unknown()).parse(parseYaml(text));

describe('registration.yaml', () => {
  it('has what the homeserver needs, and no more', () => {
    const { as_token: asToken, hs_token: hsToken, ...rest } = content(make());
    assert.match(String(asToken), /^[0-9a-f]{64}$/);
    assert.match(String(hsToken), /^[0-9a-f]{64}$/);
    assert.deepEqual(rest, {
      id: 'viaduc',
      url: 'http://127.0.0.1:9340',
      sender_localpart: 'viaduc',
      rate_limited: false,
      'de.sorunome.msc2409.push_ephemeral': false,
      receive_ephemeral: false,
      'io.element.msc4512.proxy_prefix': 'rtc/livekit',
      'io.element.msc4512.proxy_url': 'http://127.0.0.1:9340/proxied',
      namespaces: { users: [{ regex: '@visio:interieur\\.example\\.org:8448', exclusive: true }, { regex: '@visio_.*:interieur\\.example\\.org:8448', exclusive: true }] },
    });
  });

  it('has other tokens each time', () => {
    const tokens = [make(), make()].flatMap((text) => [content(text)['as_token'], content(text)['hs_token']]);
    assert.equal(new Set(tokens).size, 4);
  });

  it('is read back with its tokens hidden', () => {
    const text = make();
    const read = parseRegistration(text, expected);
    assert.ok(read.ok);
    assert.equal(read.value.asToken.reveal(), content(text)['as_token']);
    assert.doesNotMatch(JSON.stringify(read.value), /[0-9a-f]{64}/);
    assert.deepEqual([read.value.id, read.value.url], ['viaduc', 'http://127.0.0.1:9340']);
  });

  it('names the users of special localparts exactly', () => {
    for (const botLocalpart of ['visio.v2', 'a+b', 'a-b=c/d']) assert.equal(parseRegistration(make({ botLocalpart }), { ...expected, botLocalpart }).ok, true, botLocalpart);
    assert.equal(parseRegistration(make({ botLocalpart: 'visio.v2' }), { ...expected, botLocalpart: 'visioxv2' }).ok, false);
  });

  const change = (text: string, from: RegExp, to: string) => {
    assert.match(text, from);
    return text.replace(from, to);
  };
  const faults: readonly (readonly [what: string, text: () => string, message: RegExp])[] = [
    ['no YAML', () => ': [', /the file/],
    ['empty', () => '', /the file/],
    ['without a token', () => change(make(), /as_token: .*\n/, ''), /as_token/],
    ['with a short token', () => change(make(), /hs_token: .*/, 'hs_token: secret'), /hs_token: must be a random text of at least 16/],
    ['with one token twice', () => change(change(make(), /as_token: .*/, 'as_token: 0123456789abcdef'), /hs_token: .*/, 'hs_token: 0123456789abcdef'), /must differ/],
    ['with the bot as its sender', () => change(make(), /sender_localpart: .*/, 'sender_localpart: visio'), /sender_localpart must not be the bot/],
    ['without users', () => change(make(), /namespaces:[^]*?rate_limited/, 'namespaces:\n  users: []\nrate_limited'), /namespaces\.users/],
    ['for another server', () => make({ serverName: serverName('finances.example.org') }), /must hold the bot @visio:interieur\.example\.org:8448/],
    ['with a url that is none', () => change(make(), /url: .*/, 'url: null'), /url/],
    ['with a regular expression that is none', () => change(make(), /"?@visio:[^"\n]*"?/, '"("'), /must hold the bot/],
  ];
  for (const [what, text, message] of faults) {
    it(`is refused ${what}`, () => {
      const read = parseRegistration(text(), expected);
      assert.match(read.ok ? 'accepted' : read.error, message);
    });
  }
});
