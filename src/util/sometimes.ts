// Owns the log lines that strangers can cause: one in a while says as much as a thousand.

const defaultEveryMs = 10_000;

/** True at most once in that time. */
export function sometimes(clock: { nowMs(): number }, everyMs = defaultEveryMs): () => boolean {
  let nextAtMs = -Infinity;
  return () => {
    const nowMs = clock.nowMs();
    if (nowMs < nextAtMs) return false;
    nextAtMs = nowMs + everyMs;
    return true;
  };
}
