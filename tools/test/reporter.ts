// Owns how mocha reports here: for people as its own reporter does, and the totals into the file that run.ts reads.
import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';
import { totalsFileVariable, reporterVariable } from './variables.ts';

const name = process.env[reporterVariable] ?? 'spec';
const reporters: readonly (readonly [string, typeof Mocha.reporters.Base])[] = Object.entries(Mocha.reporters);
const chosen = reporters.find(([known]) => known.toLowerCase() === name)?.[1];
if (chosen === undefined) throw new Error(`mocha has no reporter "${name}"`);

/** The chosen reporter of mocha, which at the end also writes `{passed, failed, skipped}`. */
export default class CountingReporter extends chosen {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const file = process.env[totalsFileVariable];
      if (file === undefined || runner.stats === undefined) return;
      const { passes, failures, pending } = runner.stats;
      writeFileSync(file, JSON.stringify({ passed: passes, failed: failures, skipped: pending }));
    });
  }
}
