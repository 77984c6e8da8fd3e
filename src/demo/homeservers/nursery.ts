// Owns the process that forks homeservers (nursery.py): start, one request at a time, end.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const readySchema = z.object({ ready: z.string() });
const forkedSchema = z.object({ pid: z.number().int().positive() });

export interface Nursery extends AsyncDisposable {
  /** The version of Synapse. */
  readonly version: string;
  /** Starts one homeserver; answers its process id at once, long before it listens. */
  fork(request: { readonly config: string; readonly output: string }): Promise<number>;
}

/**
 * Imports Synapse, which takes one to five seconds. Every homeserver ends with the nursery, and the nursery with this process, however it dies.
 * @param synapse folder that holds venv/bin/python.
 */
export async function startNursery(synapse: string): Promise<Nursery> {
  // A session of its own: Ctrl-C in the terminal must reach only us, who stop homeservers in order.
  const python = spawn(`${synapse}/venv/bin/python`, [fileURLToPath(new URL('nursery.py', import.meta.url))], { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  const waiting: { resolve: (line: string) => void; reject: (error: Error) => void }[] = [];
  let complaint = '';
  let ended: Error | undefined;
  const end = (cause: string): void => {
    ended ??= new Error(`The process that runs Synapse has ended (${cause}).${complaint === '' ? '' : `\n${complaint.trim()}`}`);
    for (const { reject } of waiting.splice(0)) reject(ended);
  };
  python.on('error', (error) => end(error.message));
  python.on('exit', (code, signal) => end(signal ?? `exit status ${String(code)}`));
  python.stdin.on('error', (error) => end(error.message));
  python.stderr.on('data', (data: Buffer) => {
    complaint = (complaint + data.toString()).slice(-4000);
  });
  createInterface({ input: python.stdout }).on('line', (line) => waiting.shift()?.resolve(line));
  const answer = (): Promise<string> =>
    new Promise((resolve, reject) => {
      if (ended === undefined) waiting.push({ resolve, reject });
      else reject(ended);
    });

  const { ready } = readySchema.parse(JSON.parse(await answer()));
  return {
    version: ready,
    async fork(request) {
      const next = answer();
      if (ended === undefined) python.stdin.write(`${JSON.stringify(request)}\n`);
      return forkedSchema.parse(JSON.parse(await next)).pid;
    },
    async [Symbol.asyncDispose]() {
      if (ended !== undefined) return;
      const gone = once(python, 'exit');
      python.stdin.end();
      await gone;
    },
  };
}
