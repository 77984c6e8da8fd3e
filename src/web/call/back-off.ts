// Owns how long to wait between attempts to come back. No DOM.

const delaysMs = [400, 800, 1500, 2000, 2500, 3000, 3000, 3000, 3000, 3000] as const;
const longestMs = 5000;

/**
 * The wait before an attempt, growing to 3 s in the first half minute and 5 s later, spread by a quarter so that a whole call does not come back in one instant.
 * @param attempt 0 for the first.
 * @param random 0 ≤ random < 1.
 * @param atLeastMs what the bridge asked for (retry_after_ms); the spread is added on top.
 */
export function backOffMs(attempt: number, random: number, atLeastMs = 0): number {
  const baseMs = delaysMs[attempt] ?? longestMs;
  if (atLeastMs > baseMs) return Math.round(atLeastMs + random * 0.25 * baseMs);
  return Math.round(baseMs * (0.75 + random * 0.5));
}

const resumeDelaysMs = [0, 300, 700, 1200, 1800, 2500] as const;

/**
 * LiveKit's own attempts with the ticket in hand: about 6 s, enough for a bridge that restarts. They keep a shared screen, which a new ticket cannot.
 * @returns null to give up, after which the page asks for a new ticket.
 */
export function resumeDelayMs(retryCount: number, random: number): number | null {
  const baseMs = resumeDelaysMs[retryCount];
  if (baseMs === undefined) return null;
  return baseMs === 0 ? Math.round(random * 300) : Math.round(baseMs * (0.75 + random * 0.5));
}
