// Owns ./viaduc demo: the demo until Ctrl-C, or its check; what is printed, and that nothing is left behind.
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runCheck } from '../demo/check/run-check.ts';
import { type Demo, startDemo } from '../demo/demo.ts';
import { type Language, organisations } from '../demo/organisations.ts';
import { toolPath } from '../demo/tools.ts';

interface DemoArguments {
  readonly check: boolean;
  readonly ministries: number;
  readonly bridges: number;
  readonly basePort: number;
  readonly language: Language;
  readonly folder: string;
  /** Where the check leaves its screenshots. */
  readonly out: string;
}

const defaultPort = 18_440;
/** One organisation has nobody to call. */
const fewest = 2;
const lowestPort = 1100;
/** The kernel gives the ports above to outgoing connections. */
const highestPort = 32_700;
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The exit status. @throws in words */
export async function demo(argv: readonly string[]): Promise<number> {
  const options = readArguments(argv);
  const stop = Promise.withResolvers<string>();
  let asked = 0;
  for (const signal of signals) {
    process.on(signal, () => {
      asked += 1;
      // The second time at once: what we started ends with this process.
      if (asked > 1) process.exit(130);
      stop.resolve(signal);
    });
  }
  if (options.check) return runCheck({ ...options, report, stopped: stop.promise });

  await using running = await startOrStop(startDemo({ ...options, report }), stop.promise);
  if (running === undefined) return 130;
  process.stdout.write(welcome(running, options));
  const reason = await Promise.race([stop.promise, running.broken]);
  const interrupted = signals.some((signal) => signal === reason);
  process.stdout.write(interrupted ? '\nEnding the demo…\n' : `\n${reason}\nEnding the demo…\n`);
  return interrupted ? 0 : 1;
}

/** A start that is interrupted is finished first, so that all it has started can be ended in order. */
async function startOrStop(starting: Promise<Demo>, stopped: Promise<string>): Promise<Demo | undefined> {
  const early = await Promise.race([starting.then(() => undefined), stopped]);
  if (early === undefined) return starting;
  process.stdout.write('\nEnding the demo…\n');
  await (await starting)[Symbol.asyncDispose]();
  return undefined;
}

function report(step: string, tookMs: number): void {
  process.stdout.write(`  ${(tookMs / 1000).toFixed(1).padStart(5)} s  ${step}\n`);
}

function welcome({ url, info }: Demo, { folder }: DemoArguments): string {
  const people = info.columns.map(({ localpart, displayName, password, serverName, homeserverUrl }) => `    @${localpart}:${serverName}  ${displayName}, password ${password}, homeserver ${homeserverUrl}`);
  return [
    '',
    `  Open  ${url}`,
    '',
    `  Type ${info.command} in one column, press Join in each. One window for one person: ${url}/?solo=${info.columns[0]?.localpart ?? ''}`,
    '  With loudspeakers the columns hear each other: mute all microphones but one, or use headphones.',
    '',
    ...people,
    `    Everything is kept in ${folder}; remove it to begin anew.`,
    '',
    '  Ctrl-C ends the demo.',
    '',
  ].join('\n');
}

function readArguments(argv: readonly string[]): DemoArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: { check: { type: 'boolean', default: false }, ministries: { type: 'string', default: '2' }, bridges: { type: 'string' }, port: { type: 'string' }, lang: { type: 'string', default: 'fr' }, out: { type: 'string' } },
  });
  const basePort = numberIn('--port', values.port ?? String(defaultPort), lowestPort, highestPort);
  if (values.lang !== 'fr' && values.lang !== 'en') throw new Error(`--lang must be fr or en, not "${values.lang}".`);
  const ministries = numberIn('--ministries', values.ministries, fewest, organisations.length);
  const bridges = numberIn('--bridges', values.bridges ?? values.ministries, 1, ministries);
  const folder = join(toolPath('VIADUC_CACHE'), `demo-${String(basePort)}`);
  return { check: values.check, ministries, bridges, basePort, language: values.lang, folder, out: resolve(values.out ?? join(folder, 'check')) };
}

function numberIn(option: string, text: string, lowest: number, highest: number): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < lowest || number > highest) throw new Error(`${option} must be a whole number from ${String(lowest)} to ${String(highest)}, not "${text}".`);
  return number;
}
