// Owns processor time: that of processes and of the whole machine as /proc tells, and who goes first.
import { readFileSync } from 'node:fs';
import { availableParallelism, setPriority } from 'node:os';

/** Linux counts in hundredths of a second for everybody (USER_HZ). */
const ticksPerSecond = 100;

/** User and system time of these processes together, in milliseconds; of one that has gone, nothing. */
export function cpuMs(pids: readonly number[]): number {
  return pids.reduce((total, pid) => total + ticksOf(pid), 0) * (1000 / ticksPerSecond);
}

/** proc(5): fields 14 and 15. */
function ticksOf(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return Number(fields[11]) + Number(fields[12]);
  } catch {
    return 0;
  }
}

/** Starts to look at all processors. @returns how busy they were since, from 0 to 1 */
export function watchMachine(): () => number {
  const [startMs, startIdle] = [performance.now(), idleMs()];
  return () => 1 - (idleMs() - startIdle) / ((performance.now() - startMs) * availableParallelism());
}

/** proc(5): of the first line of /proc/stat, the times without work. */
function idleMs(): number {
  const [, , , , idle, waiting] = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]?.split(/\s+/) ?? [];
  return (Number(idle) + Number(waiting)) * (1000 / ticksPerSecond);
}

/** The scheduler prefers the process to others. @returns false without the right to that */
export function goAhead(pid: number): boolean {
  try {
    setPriority(pid, -15);
    return true;
  } catch {
    return false;
  }
}
