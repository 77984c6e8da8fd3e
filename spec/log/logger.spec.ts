// Specifies that a secret cannot be printed.
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { createLogger, Secret } from '../../src/log/logger.ts';

describe('secret', () => {
  const secret = new Secret('token-of-alice');

  it('shows itself as a placeholder however it is printed', () => {
    for (const text of [String(secret), JSON.stringify({ secret }), inspect(secret), inspect({ deep: [secret] }), inspect(secret, { showHidden: true, depth: 9 })]) {
      assert(!text.includes('token-of-alice'), text);
      assert(text.includes('‹secret›'), text);
    }
    assert.equal(secret.reveal(), 'token-of-alice');
  });

  it('is not written by the logger, whatever its format', (done) => {
    const written: string[] = [];
    const write = process.stderr.write.bind(process.stderr);
    process.stderr.write = (chunk: string | Uint8Array) => {
      written.push(String(chunk));
      return true;
    };
    for (const format of ['text', 'json'] as const) createLogger({ level: 'debug', format }).child({ deep: { secret } }).debug('said', { secret, list: [secret] });
    setImmediate(() => {
      process.stderr.write = write;
      assert.equal(written.length, 2);
      for (const line of written) {
        assert(line.includes('‹secret›'), line);
        assert(!line.includes('token-of-alice'), line);
      }
      done();
    });
  });
});
