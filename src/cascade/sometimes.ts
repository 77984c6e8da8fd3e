// Owns the log lines that strangers can cause: one in ten seconds says as much as a thousand.
import type { Clock } from '../control/ports/clock.ts';

const everyMs = 10_000;

/** True at most once in ten seconds. */
export function sometimes(clock: Pick<Clock, 'nowMs'>): () => boolean {
  let nextAtMs = -Infinity;
  return () => {
    const nowMs = clock.nowMs();
    if (nowMs < nextAtMs) return false;
    nextAtMs = nowMs + everyMs;
    return true;
  };
}
