// Owns waiting that ends with a signal, for work that cannot be cancelled itself.
import { asError } from './background.ts';

/** The outcome of `work`, or a rejection with the signal's reason if that comes first. */
export async function beforeAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(asError(signal.reason));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
