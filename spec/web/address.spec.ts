// Owns the checks of what the call page reads from its own address.
import assert from 'node:assert/strict';
import { parsePageAddress } from '../../src/web/address.ts';

describe('web: the page\'s address', () => {
  it('names the call and the API root of a plain link', () => {
    assert.deepEqual(parsePageAddress('https://visio.example/c/k3-f9?lang=fr', false), {
      slug: 'k3-f9', apiRoot: 'https://visio.example', language: 'fr',
    });
  });

  it('keeps a prefix that a reverse proxy adds, and ignores a final slash', () => {
    assert.deepEqual(parsePageAddress('https://example.org/visio/c/a%20b/', false), { slug: 'a b', apiRoot: 'https://example.org/visio' });
  });

  it('names no call elsewhere', () => {
    for (const path of ['/', '/c/', '/c', '/c/a/b', '/d/abc']) assert.equal(parsePageAddress(`https://visio.example${path}`, false), undefined, path);
  });

  const widgetUrl = 'https://visio.example/c/abc?widgetId=viaduc&parentUrl=https%3A%2F%2Felement.example%2Froom%23x&userId=%40alice%3Aa.example&deviceId=DEV&theme=dark';

  it('finds the host of a widget', () => {
    assert.deepEqual(parsePageAddress(widgetUrl, true), {
      slug: 'abc', apiRoot: 'https://visio.example', widget: { widgetId: 'viaduc', parentOrigin: 'https://element.example' },
      userId: '@alice:a.example', deviceId: 'DEV', theme: 'dark',
    });
  });

  it('has no host when a widget\'s address is opened in a tab, or the parent is no web page', () => {
    assert.equal(parsePageAddress(widgetUrl, false)?.widget, undefined);
    assert.equal(parsePageAddress('https://visio.example/c/abc?widgetId=w&parentUrl=nonsense', true)?.widget, undefined);
    assert.equal(parsePageAddress('https://visio.example/c/abc?widgetId=w&parentUrl=data:text/html,x', true)?.widget, undefined);
  });

  it('takes a template variable that the host left unfilled as absent', () => {
    const address = parsePageAddress('https://visio.example/c/abc?deviceId=$org.matrix.msc3819.matrix_device_id&lang=$org.matrix.msc2873.client_language&theme=blue', true);
    assert.deepEqual(address, { slug: 'abc', apiRoot: 'https://visio.example' });
  });
});
