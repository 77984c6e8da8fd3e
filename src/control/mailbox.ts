// Owns the order of things in one call: its steps run one after another, none sees another's half-done work.

export class Mailbox {
  readonly #waiting: (() => void)[] = [];
  #running = false;

  /** Runs the step now, or after the one that runs now. Steps are synchronous: long work comes back as a new step. */
  async run<T>(step: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#waiting.push(() => {
      try {
        resolve(step());
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    this.#drain();
    return promise;
  }

  #drain(): void {
    if (this.#running) return;
    this.#running = true;
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) next();
    } finally {
      this.#running = false;
    }
  }
}
