// Specifies that every refusal is explained to the operator, as it is really answered.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { callError, callErrorCodes } from '../../src/call/errors.ts';
import { refusalOf } from '../../src/http/http-error.ts';
import { silentLogger } from '../../src/log/logger.ts';

const rows = new Map(
  [...readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8').matchAll(/^\| `(\w+)` \| (\d+) \| `(\w+)` \|/gm)].map(([, code = '', status, errcode]) => [code, `${status} ${errcode}`]),
);

describe('docs/errors.md', () => {
  for (const code of callErrorCodes) {
    it(`explains ${code} with its status`, () => {
      const { status, body } = refusalOf(callError(code, 'detail'), silentLogger);
      assert.equal(rows.get(code), `${status} ${body.errcode}`);
    });
  }

  it('explains no code that is gone', () => assert.deepEqual([...rows.keys()].sort(), [...callErrorCodes].sort()));

  it('has the same reference in the answer and in the log', () => {
    const logged: unknown[] = [];
    const { body } = refusalOf(callError('full', 'ten are in', 1500), { ...silentLogger, info: (message, keys) => logged.push({ message, ...keys }) });
    assert.deepEqual(logged, [{ message: 'request refused', ref: body.ref, code: 'full', detail: 'ten are in' }]);
    assert.equal(body.retry_after_ms, 1500);
    assert(!body.error.includes('ten are in'));
  });
});
