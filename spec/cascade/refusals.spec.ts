// Specifies that every refusal of an introduction is explained to the operator, and that strangers cannot fill the log.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { introductionRefusals, refusalLog } from '../../src/cascade/refusals.ts';
import { silentLogger } from '../../src/log/logger.ts';
import { serverName } from '../support/builders.ts';
import { virtualClock } from '../support/clocks.ts';

const documented = new Set(Array.from(readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8').matchAll(/^\| `(\w+)` \| [^|\n]+ \| [^|\n]+ \|$/gm), ([, code = '']) => code));

describe('refusals of introductions', () => {
  for (const code of Object.keys(introductionRefusals)) it(`explain ${code}`, () => assert(documented.has(code), [...documented].join(' ')));
  it('explain no code that is gone', () => assert.deepEqual([...documented].filter((code) => /^(introduction|confirmation)/.test(code) && !(code in introductionRefusals)), []));

  it('are all counted, and logged once in ten seconds for each code', () => {
    const clock = virtualClock();
    const [logged, counted]: [string[], string[]] = [[], []];
    const refused = refusalLog(clock, { ...silentLogger, warn: (_message, keys) => void logged.push(JSON.stringify([keys?.['code'], keys?.['server']])) }, (code, server) => void counted.push(`${code} ${String(server)}`));
    const server = serverName('finances.example.org');
    for (let index = 0; index < 5; index += 1) refused('notListed', server);
    refused('introductionFlood', undefined);
    clock.advance(10_000);
    refused('notListed', server);
    assert.equal(counted.length, 7);
    assert.deepEqual(logged, [['notListed', server], ['introductionFlood', null], ['notListed', server]].map((line) => JSON.stringify(line)));
  });
});
