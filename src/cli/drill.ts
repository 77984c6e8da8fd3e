// Owns ./viaduc drill: one drill by its name, or their list.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nearest } from '../config/nearest.ts';
import { toolPath } from '../demo/tools.ts';
import { drills } from '../drill/drills.ts';
import { Report } from '../drill/report.ts';

const defaultPort = 31_440;
const lowestPort = 1100;
/** The kernel gives the ports above to outgoing connections; a drill takes sixty from its first one on. */
const highestPort = 32_640;

/** The exit status: 0 only if the drill has passed. @throws in words */
export async function drill(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...argv], options: { n: { type: 'string' }, port: { type: 'string' } }, allowPositionals: true });
  const [id = 'list', ...more] = positionals;
  if (more.length > 0) throw new Error('One drill at a time.');
  if (id === 'list') {
    for (const each of drills) print(`  ${each.id.padEnd(15)} ${each.sentence} (n = ${each.usualN})`);
    return 0;
  }
  const found = drills.find((each) => each.id === id);
  if (found === undefined) {
    const hint = nearest(id, drills.map((each) => each.id));
    throw new Error(`There is no drill ${id}.${hint === undefined ? '' : ` Did you mean ${hint}?`} ./viaduc drill list names them.`);
  }
  const n = wholeNumber('n', values.n, found.usualN, 1, 1_000_000);
  const basePort = wholeNumber('port', values.port, defaultPort, lowestPort, highestPort);
  // All that a drill has started ends with this process.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));

  const report = new Report(print);
  const folder = join(toolPath('VIADUC_CACHE'), `drill-${basePort}`);
  print(`\n  ${found.id}: ${found.sentence}\n`);
  let result = { value: Number.NaN, limit: Number.NaN };
  try {
    result = await found.run({ n, basePort, folder, report });
  } catch (error) {
    report.hold('The drill could be made', false, error instanceof Error ? error.message : String(error));
  }
  print(`\n  Logs: ${folder}\n`);
  print(report.lastLine({ drill: found.id, n, ...result }));
  return report.allHeld ? 0 : 1;
}

function wholeNumber(name: string, text: string | undefined, usual: number, least: number, most: number): number {
  if (text === undefined) return usual;
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) throw new Error(`--${name} must be a whole number from ${least} to ${most}, not "${text}".`);
  return value;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
