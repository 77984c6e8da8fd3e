// Owns waiting for a time that may be cut short.

/** Resolves after that time, or at once when aborted. */
export function pause(clock: { after(delayMs: number, run: () => void): () => void }, delayMs: number, signal?: AbortSignal): Promise<'elapsed' | 'aborted'> {
  if (signal?.aborted === true) return Promise.resolve('aborted');
  const { promise, resolve } = Promise.withResolvers<'elapsed' | 'aborted'>();
  const abort = (): void => {
    cancel();
    resolve('aborted');
  };
  const cancel = clock.after(delayMs, () => {
    signal?.removeEventListener('abort', abort);
    resolve('elapsed');
  });
  signal?.addEventListener('abort', abort, { once: true });
  return promise;
}
