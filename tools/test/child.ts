// Owns the processes that a test run starts: their output, their end, and the signals that are passed on to them.
import { spawn, type ChildProcess } from 'node:child_process';

export interface Ended {
  readonly status: number;
  /** What it printed, when it was captured. */
  readonly output: string;
}

const running = new Set<ChildProcess>();

/** Runs Node with these arguments; `capture` keeps the output instead of showing it. Never rejects: a process that cannot start has status 127. */
export async function runNode(args: readonly string[], { capture, env = {} }: { capture: boolean; env?: Record<string, string> }): Promise<Ended> {
  return await new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      stdio: ['inherit', capture ? 'pipe' : 'inherit', capture ? 'pipe' : 'inherit'],
      env: { ...process.env, ...env },
    });
    running.add(child);
    const output: string[] = [];
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => output.push(text));
    const end = (status: number): void => {
      running.delete(child);
      resolve({ status, output: output.join('') });
    };
    child.once('error', (error) => {
      output.push(error.message);
      end(127);
    });
    child.once('close', (code, signal) => {
      if (signal !== null) output.push(`ended by ${signal}\n`);
      end(code ?? 128);
    });
  });
}

/** Lets children end first when this process is told to end; the run then reports what failed. */
export function passSignalsOn(): void {
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => endAll(signal));
  // A terminal sends Ctrl-C to the children by itself, and mocha would take a second one as "at once".
  process.on('SIGINT', () => process.stdin.isTTY || endAll('SIGINT'));
}

function endAll(signal: NodeJS.Signals): void {
  for (const child of running) child.kill(signal);
}
