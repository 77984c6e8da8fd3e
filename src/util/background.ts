// Owns the promises that nobody awaits: each has a name and a reporter, none is lost.
import type { Logger } from '../log/logger.ts';

/** Runs on without the caller; a rejection is logged as an error with what it was doing. */
export function background(log: Logger, what: string, work: Promise<unknown>): void {
  work.catch((error: unknown) => {
    log.error('background work failed', { what, error: asError(error) });
  });
}

export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
