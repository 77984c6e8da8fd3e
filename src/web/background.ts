// Owns the one way to start something without waiting for it: what goes wrong is told in the browser's console.

/** Lets a promise run by itself. @param what the work in a few words, for whoever reads the console. */
export function background(promise: Promise<unknown>, what: string): void {
  promise.catch((error: unknown) => {
    // eslint-disable-next-line no-console -- the page has no other place for what concerns only a developer.
    console.warn(`${what} failed`, error);
  });
}
