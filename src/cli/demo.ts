// Owns ./viaduc demo: the demo until Ctrl-C, or its check; what is printed, and that nothing is left behind.
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runCheck } from '../demo/check/run-check.ts';
import { type Demo, startDemo } from '../demo/demo.ts';
import type { Language } from '../demo/organisations.ts';
import { toolPath } from '../demo/tools.ts';

interface DemoArguments {
  readonly check: boolean;
  readonly basePort: number;
  readonly language: Language;
  readonly folder: string;
  /** Where the check leaves its screenshots. */
  readonly out: string;
}

const defaultPort = 18_440;
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
    `  Type ${info.command} in one column, press Join in both. One window each: ${url}/?solo=${info.columns[0]?.localpart ?? ''}`,
    '  With loudspeakers both columns hear each other: mute one microphone, or use headphones.',
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
    options: { check: { type: 'boolean', default: false }, port: { type: 'string' }, lang: { type: 'string', default: 'fr' }, out: { type: 'string' } },
  });
  const basePort = values.port === undefined ? defaultPort : Number(values.port);
  if (!Number.isInteger(basePort) || basePort < lowestPort || basePort > highestPort) throw new Error(`--port must be a whole number from ${String(lowestPort)} to ${String(highestPort)}, not "${values.port ?? ''}".`);
  if (values.lang !== 'fr' && values.lang !== 'en') throw new Error(`--lang must be fr or en, not "${values.lang}".`);
  const folder = join(toolPath('VIADUC_CACHE'), `demo-${String(basePort)}`);
  return { check: values.check, basePort, language: values.lang, folder, out: resolve(values.out ?? join(folder, 'check')) };
}
