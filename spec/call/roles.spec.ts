// Specifies how power levels become roles and rights.
import assert from 'node:assert/strict';
import { mayEnd, mayStart } from '../../src/call/rules.ts';
import { roleOf } from '../../src/call/roles.ts';
import { alice, bob, callAfter, carol, powerLevels, rules } from '../support/builders.ts';

describe('roles', () => {
  it('follow the levels needed to kick and to change power levels', () => {
    const levels = powerLevels({ users: [[alice, 100], [bob, 50]] });
    assert.deepEqual([alice, bob, carol].map((user) => roleOf(user, levels)), ['owner', 'moderator', 'participant']);
  });

  it('give a creator every power, listed or not (room version 12)', () => {
    assert.equal(roleOf(carol, powerLevels({ creators: new Set([carol]) })), 'owner');
  });

  it('take the level of power_levels events from state_default where the room does not name it', () => {
    const levels = powerLevels({ users: [[alice, 50]], events: new Map() });
    assert.equal(roleOf(alice, levels), 'owner');
  });

  it('let start who has the configured level', () => {
    const levels = powerLevels({ users: [[alice, 10]] });
    assert.equal(mayStart(alice, levels, { ...rules, startLevel: 10 }), true);
    assert.equal(mayStart(bob, levels, { ...rules, startLevel: 10 }), false);
    assert.equal(mayStart(bob, levels, rules), true);
  });

  it('let end who started the call, and moderators', () => {
    const call = callAfter();
    const levels = powerLevels({ users: [[bob, 50]] });
    assert.deepEqual([alice, bob, carol].map((user) => mayEnd(user, call, levels)), [true, true, false]);
  });
});
