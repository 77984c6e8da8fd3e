// Specifies the names that clients compute for themselves: MSC4195's own examples.
import assert from 'node:assert/strict';
import { memberIdentity } from '../../src/auth/rtc-identity.ts';
import { userId } from '../support/builders.ts';

describe('identity of a membership', () => {
  it('is that of the MSC\'s example', () => {
    assert.equal(memberIdentity(userId('@alice:example.com'), 'DEVICE123', 'memberABC'), 'J+T45tGruxc+HrUOqJJlyQSV33m728Cme4+vt8/SWrU');
  });
});
