// Owns waiting in a browser: until the time is over, somebody says "now", or the network is back.

/** Resolves after the time, when the signal aborts, or when the browser comes back online. */
export async function patience(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      removeEventListener('online', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
    addEventListener('online', done);
    if (signal.aborted) done();
  });
}
