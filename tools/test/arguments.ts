// Owns the arguments of ./viaduc test: ours, and those that are handed to mocha.
import { existsSync } from 'node:fs';

export interface TestArguments {
  /** Leaves out lint, type checks and the dead-export check. */
  readonly onlySpecs: boolean;
  /** One of mocha's reporters. */
  readonly reporter: string | undefined;
  /** Whether files are named: they then take the place of all specs. */
  readonly namesSpecs: boolean;
  readonly forMocha: readonly string[];
}

/** Takes `--only-specs` and `--reporter` out; everything else is mocha's. */
export function parseArguments(args: readonly string[]): TestArguments {
  const forMocha: string[] = [];
  let onlySpecs = false;
  let reporter: string | undefined;
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    const inline = /^--reporter=(.+)$/.exec(arg)?.[1];
    if (arg === '--only-specs') onlySpecs = true;
    else if (inline !== undefined) reporter = inline;
    else if (arg === '--reporter' || arg === '-R') reporter = args[(at += 1)];
    else forMocha.push(arg);
  }
  return { onlySpecs, reporter, namesSpecs: forMocha.some(isSpecPath), forMocha };
}

function isSpecPath(arg: string): boolean {
  return !arg.startsWith('-') && (/\.spec\.ts$/.test(arg) || existsSync(arg));
}
