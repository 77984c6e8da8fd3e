// Specifies which texts are ids.
import assert from 'node:assert/strict';
import { isRoomId, isServerName, isSlug, isUserId, localpartOf, serverOf } from '../../src/call/ids.ts';
import { userId } from '../support/builders.ts';

describe('ids', () => {
  const rows: readonly (readonly [(text: string) => boolean, string, boolean])[] = [
    [isUserId, '@alice:example.org', true],
    [isUserId, '@alice:example.org:8448', true],
    [isUserId, '@Old-Style=2f:example.org', true],
    [isUserId, '@alice:[2001:db8::1]:8448', true],
    [isUserId, 'alice:example.org', false],
    [isUserId, '@alice', false],
    [isUserId, '@ali\nce:example.org', false],
    [isUserId, '@alice:exam ple.org', false],
    [isUserId, '@alice:example.org/path', false],
    [isUserId, `@${'a'.repeat(250)}:example.org`, false],
    [isRoomId, '!abc:example.org', true],
    [isRoomId, '!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM', true],
    [isRoomId, '#alias:example.org', false],
    [isRoomId, '!a\r\nb:example.org', false],
    [isServerName, 'localhost:18440', true],
    [isServerName, 'user@example.org', false],
    [isServerName, 'example.org:99999999', false],
    [isServerName, '', false],
    [isSlug, 'abcdefghijklmnopqrst', true],
    [isSlug, '../../../etc/passwd.', false],
  ];
  for (const [is, text, expected] of rows) it(`${is.name} ${expected ? 'takes' : 'refuses'} ${JSON.stringify(text.slice(0, 50))}`, () => assert.equal(is(text), expected));

  it('splits a user id at the first colon', () => {
    const user = userId('@alice:example.org:8448');
    assert.equal(serverOf(user), 'example.org:8448');
    assert.equal(localpartOf(user), 'alice');
  });
});
