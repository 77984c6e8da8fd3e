// Owns reading the processor time of processes, as /proc tells.
import { readFileSync } from 'node:fs';

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
