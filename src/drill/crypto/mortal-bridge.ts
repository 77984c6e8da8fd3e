// Owns a bridge that is started again whenever it has been killed.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../main.ts', import.meta.url));

export class MortalBridge {
  readonly #configFile: string;
  readonly #logFile: string;
  #child: ChildProcess | undefined;

  constructor(configFile: string, logFile: string) {
    this.#configFile = configFile;
    this.#logFile = logFile;
  }

  /** @returns settles with the signal or status when it has ended */
  async live(): Promise<string> {
    const log = openSync(this.#logFile, 'a', 0o600);
    // The kernel ends it with us, however that happens.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', process.execPath, main, 'start', '--config', this.#configFile], { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#child = child;
    await once(child, 'exit');
    if (this.#child === child) this.#child = undefined;
    return child.signalCode ?? String(child.exitCode);
  }

  /** kill -9, at once. False: it does not live. */
  kill(): boolean {
    return this.#child?.kill('SIGKILL') ?? false;
  }

  /** Asks it to end. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  }
}
