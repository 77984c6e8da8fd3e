// Owns ./viaduc test: lint, type checks, dead exports, all specs; the last line counts them. Exit status 0 only when all passed.
import { mkdtempSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { parseArguments, type TestArguments } from './arguments.ts';
import { passSignalsOn, runNode } from './child.ts';
import { reporterVariable, totalsFileVariable } from './variables.ts';

const totalsSchema = z.strictObject({ passed: z.int().min(0), failed: z.int().min(0), skipped: z.int().min(0) });
type Totals = z.output<typeof totalsSchema>;

/** Each is a script of package.json and counts as one check. */
const checks = [
  { script: 'lint', name: 'lint' },
  { script: 'types', name: 'type checks' },
  { script: 'dead', name: 'dead exports' },
] as const;

passSignalsOn();
const given = parseArguments(process.argv.slice(2));
const totals: Totals[] = given.onlySpecs ? [] : await Promise.all(checks.map(runCheck));
totals.push(await runSpecs(given));

const sum = (key: keyof Totals): number => totals.reduce((all, some) => all + some[key], 0);
const skipped = sum('skipped');
console.log(`${sum('passed')} passed, ${sum('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = sum('failed') === 0 ? 0 : 1;

async function runCheck({ script, name }: (typeof checks)[number]): Promise<Totals> {
  const began = performance.now();
  const { status, output } = await runNode(['--run', script], { capture: true });
  const seconds = Math.round((performance.now() - began) / 1000);
  console.log(`${status === 0 ? '✔' : '✘'} ${name} (${seconds} s)`);
  if (status !== 0) console.log(output.trimEnd());
  return { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, skipped: 0 };
}

async function runSpecs({ forMocha, namesSpecs, reporter }: TestArguments): Promise<Totals> {
  const folder = mkdtempSync(join(tmpdir(), 'viaduc-test-'));
  try {
    const totalsFile = join(folder, 'totals.json');
    const mocha = ['node_modules/mocha/bin/mocha.js', '--reporter', resolve('tools/test/reporter.ts'), ...(namesSpecs ? [] : ['spec/**/*.spec.ts']), ...forMocha];
    const env = { [totalsFileVariable]: totalsFile, ...(reporter === undefined ? {} : { [reporterVariable]: reporter }) };
    const { status } = await runNode(mocha, { capture: false, env });
    return judge(status, totalsFile);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A run that died, or in which nothing ran, has failed whatever it counted. */
function judge(status: number, totalsFile: string): Totals {
  const nothing = { passed: 0, failed: 1, skipped: 0 };
  if (!existsSync(totalsFile)) {
    console.log(`✘ specs: mocha ended with status ${status} before it had run them`);
    return nothing;
  }
  const counted = totalsSchema.parse(JSON.parse(readFileSync(totalsFile, 'utf8')));
  if (counted.passed + counted.failed === 0) {
    console.log('✘ specs: none ran');
    return { ...nothing, skipped: counted.skipped };
  }
  if (status === 0 || counted.failed > 0) return counted;
  console.log(`✘ specs: mocha ended with status ${status} although no spec failed`);
  return { ...counted, failed: 1 };
}
