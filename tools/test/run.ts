// Owns ./viaduc test: lint, type checks, dead exports, all specs; the last line counts them. Exit status 0 only when all passed.
import { mkdtempSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { parseArguments, type TestArguments } from './arguments.ts';
import { passSignalsOn, runNode } from './child.ts';
import { defaultPort, portVariable, reporterVariable, totalsFileVariable } from './variables.ts';

const totalsSchema = z.strictObject({ passed: z.int().min(0), failed: z.int().min(0), skipped: z.int().min(0) });
type Totals = z.output<typeof totalsSchema>;

/** Each is a script of package.json and counts as one check. */
const checks = [
  { script: 'lint', name: 'lint' },
  { script: 'types', name: 'type checks' },
  { script: 'dead', name: 'dead exports' },
] as const;

interface Lane {
  /** Files for mocha; none: those that are named. */
  readonly specs: readonly string[];
  /** Its ports begin so far above the first one of the specs. */
  readonly portOffset: number;
  /** Shown when it has ended, so that lines of two lanes do not mix. */
  readonly later: boolean;
}

const named: Lane = { specs: [], portOffset: 0, later: false };
/** Specs wait more than they compute: two runs of mocha side by side take little more than the longer one. */
const aside = ['spec/e2e/livekit-client.spec.ts', 'spec/e2e/pipe.spec.ts', 'spec/integration/**/*.spec.ts'];
const lanes: readonly Lane[] = [
  { specs: ['spec/**/*.spec.ts', ...aside.flatMap((files) => ['--ignore', files])], portOffset: 0, later: false },
  // matrix-js-sdk leaves timers of minutes behind, which would keep the process.
  { specs: [...aside, '--exit'], portOffset: 300, later: true },
];

passSignalsOn();
const given = parseArguments(process.argv.slice(2));
const totals: Totals[] = given.onlySpecs ? [] : await Promise.all(checks.map(runCheck));
const specs = await Promise.all((given.namesSpecs ? [named] : lanes).map((lane) => runSpecs(given, lane)));
totals.push(...specs);
if (specs.every(({ passed, failed }) => passed + failed === 0)) {
  console.log('✘ specs: none ran');
  totals.push({ passed: 0, failed: 1, skipped: 0 });
}

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

async function runSpecs({ forMocha, reporter }: TestArguments, { specs, portOffset, later }: Lane): Promise<Totals> {
  const folder = mkdtempSync(join(tmpdir(), 'viaduc-test-'));
  try {
    const totalsFile = join(folder, 'totals.json');
    const mocha = ['node_modules/mocha/bin/mocha.js', '--reporter', resolve('tools/test/reporter.ts'), ...specs, ...forMocha];
    const env = { [totalsFileVariable]: totalsFile, ...(reporter === undefined ? {} : { [reporterVariable]: reporter }), [portVariable]: String(Number(process.env[portVariable] ?? defaultPort) + portOffset) };
    const { status, output } = await runNode(mocha, { capture: later, env });
    if (later) console.log(output.trimEnd());
    return judge(status, totalsFile);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A run that died has failed whatever it counted. */
function judge(status: number, totalsFile: string): Totals {
  const nothing = { passed: 0, failed: 1, skipped: 0 };
  if (!existsSync(totalsFile)) {
    console.log(`✘ specs: mocha ended with status ${status} before it had run them`);
    return nothing;
  }
  const counted = totalsSchema.parse(JSON.parse(readFileSync(totalsFile, 'utf8')));
  if (status === 0 || counted.failed > 0) return counted;
  console.log(`✘ specs: mocha ended with status ${status} although no spec failed`);
  return { ...counted, failed: 1 };
}
