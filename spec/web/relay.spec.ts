// Specifies the frame in which a widget shows another bridge's page: what it hands on, and what it does not.
import assert from 'node:assert/strict';
import { relayMessages } from '../../src/web/relay.ts';

describe('the frame of a page at home', () => {
  const client = 'https://element.example.org';
  const home = 'https://visio.finances.example.org';
  const ends = () => {
    const said: unknown[] = [];
    const windowOf = (name: string) => ({ postMessage: (data: unknown, to: string) => void said.push([name, data, to]) });
    return { said, host: windowOf('host'), guest: windowOf('guest') };
  };

  it('hands on what each says to the other, to its origin only', () => {
    const { said, host, guest } = ends();
    let hear: (event: { source: unknown; origin: string; data: unknown }) => void = () => assert.fail('nobody listens');
    relayMessages({ addEventListener: (_type, listener) => (hear = listener) }, { host: { window: host, origin: client }, guest: { window: () => guest, origin: home } });
    hear({ source: host, origin: client, data: 'capabilities?' });
    hear({ source: guest, origin: home, data: 'openid?' });
    assert.deepEqual(said, [['guest', 'capabilities?', home], ['host', 'openid?', client]]);
    const strangers = [[host, home], [guest, client], [host, 'https://evil.example'], [guest, 'https://evil.example'], [{}, client], [{}, home], [null, client], [null, home]] as const;
    for (const [source, origin] of strangers) hear({ source, origin, data: 'token!' });
    assert.equal(said.length, 2);
  });

  it('says nothing to a page that is not there yet, and takes nobody for it', () => {
    const { said, host } = ends();
    let hear: (event: { source: unknown; origin: string; data: unknown }) => void = () => assert.fail('nobody listens');
    relayMessages({ addEventListener: (_type, listener) => (hear = listener) }, { host: { window: host, origin: client }, guest: { window: () => null, origin: home } });
    hear({ source: host, origin: client, data: 'capabilities?' });
    hear({ source: null, origin: home, data: 'openid?' });
    assert.deepEqual(said, []);
  });
});
