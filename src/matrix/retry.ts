// Owns patience with our homeserver: what failed for the moment is tried again, for a while.
import { pause } from '../util/pause.ts';
import type { Clock } from '../control/ports/clock.ts';
import { HomeserverError } from './homeserver-error.ts';

export interface Patience {
  readonly clock: Clock;
  /** Aborted when the bridge closes: the last error is thrown at once. */
  readonly signal: AbortSignal;
}

const delaysMs = [500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 30_000];

/** Post: `work` succeeded. @throws what it threw, if that was final or came nine times */
export async function patiently<T>({ clock, signal }: Patience, work: () => Promise<T>): Promise<T> {
  for (const delayMs of delaysMs) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof HomeserverError) || !error.isTransient || signal.aborted) throw error;
      if ((await pause(clock, Math.max(delayMs, error.retryAfterMs ?? 0), signal)) === 'aborted') throw error;
    }
  }
  return await work();
}
