// Owns the clocks of specs: the real one, and one that stands still until told to move.
import type { Clock } from '../../src/control/ports/clock.ts';

export const realClock: Clock = {
  nowMs: () => Date.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

export interface VirtualClock extends Clock {
  /** Runs what becomes due, in order. */
  advance(byMs: number): void;
  /** How many callbacks are waiting. */
  waiting(): number;
}

export function virtualClock(startMs = 1_700_000_000_000): VirtualClock {
  let nowMs = startMs;
  const timers = new Set<{ readonly dueAtMs: number; readonly run: () => void }>();
  return {
    nowMs: () => nowMs,
    after: (delayMs, run) => {
      const timer = { dueAtMs: nowMs + delayMs, run };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    advance: (byMs) => {
      const untilMs = nowMs + byMs;
      for (;;) {
        const [next] = [...timers].filter(({ dueAtMs }) => dueAtMs <= untilMs).sort((a, b) => a.dueAtMs - b.dueAtMs);
        if (next === undefined) break;
        timers.delete(next);
        nowMs = Math.max(nowMs, next.dueAtMs);
        next.run();
      }
      nowMs = untilMs;
    },
    waiting: () => timers.size,
  };
}
