// Owns a bridge in a process of its own, as an operator starts it; the process cannot outlive this one.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export interface BridgeProcessOptions {
  readonly configFile: string;
  /** Its standard output and error are added to this file. */
  readonly logFile: string;
  /** PEM file of an authority to trust besides the system's. */
  readonly authority: string;
  /** Where /readyz is answered. */
  readonly metricsUrl: string;
}

export interface BridgeProcess extends AsyncDisposable {
  readonly pid: number | undefined;
  /** Settles when the process has ended, with the reason in words. */
  readonly ended: Promise<string>;
  /** kill -9, as a crash; returns when it is gone. */
  kill(): Promise<void>;
}

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const startDeadlineMs = 60_000;
const stopDeadlineMs = 20_000;

/** Returns when the bridge says that it is ready. @throws with the end of its log if it ends or stays silent. */
export async function startBridgeProcess({ configFile, logFile, authority, metricsUrl }: BridgeProcessOptions): Promise<BridgeProcess> {
  const log = openSync(logFile, 'a', 0o600);
  // setpriv: the kernel kills the bridge when this process dies, however it dies. A session of its own: Ctrl-C reaches only us.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', process.execPath, main, 'start', '--config', configFile], {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, NODE_EXTRA_CA_CERTS: authority },
  });
  closeSync(log);
  const ended = Promise.withResolvers<string>();
  child.once('error', (error) => ended.resolve(`it could not be started: ${error.message}`));
  child.once('exit', (code, signal) => ended.resolve(signal === null ? `exit status ${String(code)}` : `signal ${signal}`));
  const isRunning = (): boolean => child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (!isRunning()) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await Promise.race([gone, sleep(stopDeadlineMs, undefined, { ref: false })]);
    if (isRunning()) child.kill('SIGKILL');
    await gone;
  };

  const deadline = Date.now() + startDeadlineMs;
  while (!(await isReady(metricsUrl))) {
    const over = isRunning() ? undefined : await ended.promise;
    if (over !== undefined) throw new Error(`The bridge has ended while it started (${over}). The end of ${logFile}:\n${lastLines(logFile)}`);
    if (Date.now() > deadline) {
      await end('SIGKILL');
      throw new Error(`The bridge is not ready after ${String(startDeadlineMs / 1000)} s. The end of ${logFile}:\n${lastLines(logFile)}`);
    }
    await sleep(50);
  }
  return { pid: child.pid, ended: ended.promise, kill: () => end('SIGKILL'), [Symbol.asyncDispose]: () => end('SIGTERM') };
}

function isReady(metricsUrl: string): Promise<boolean> {
  return fetch(`${metricsUrl}/readyz`).then(
    (response) => response.ok,
    () => false,
  );
}

function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trim().split('\n').slice(-15).join('\n');
}
