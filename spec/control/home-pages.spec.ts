// Specifies where people may be sent whose own bridge names a page.
import assert from 'node:assert/strict';
import { mayLeadTo } from '../../src/control/peers/home-pages.ts';

describe('a page of another bridge', () => {
  const inNetwork = (address: string): boolean => address.startsWith('10.') || address === '127.0.0.1' || address === 'fd00::1';
  const rows: readonly (readonly [string, boolean])[] = [
    ['https://visio.example.org/c/x', true],
    ['https://192.0.2.1/c/x', true],
    ['http://10.1.2.3:8080/c/x', true],
    ['http://[fd00::1]/c/x', true],
    ['http://visio.localhost:18453/c/x', true],
    ['http://192.0.2.1/c/x', false],
    ['http://[2001:db8::1]/c/x', false],
    ['http://nowhere.invalid/c/x', false],
    ['ftp://10.1.2.3/c/x', false],
  ];
  for (const [page, may] of rows) it(`${page} is ${may ? 'one that people may be sent to' : 'not'}`, async () => assert.equal(await mayLeadTo(page, inNetwork), may));
});
