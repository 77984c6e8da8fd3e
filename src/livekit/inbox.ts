// Owns the order of a session's work: one task after the other, none lost, not more waiting than allowed.

export interface InboxOptions {
  readonly maxWaiting: number;
  /** A task threw. The next ones run all the same. */
  readonly failed: (error: unknown) => void;
}

export class Inbox {
  readonly #options: InboxOptions;
  readonly #waiting: (() => Promise<void>)[] = [];
  #running = false;
  #closed = false;

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /** False: too many tasks wait already, this one is not taken. */
  push(task: () => Promise<void>): boolean {
    if (this.#closed) return true;
    if (this.#waiting.length >= this.#options.maxWaiting) return false;
    this.#waiting.push(task);
    if (!this.#running) void this.#run();
    return true;
  }

  /** What waits is dropped; the running task ends by itself. */
  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let task = this.#waiting.shift(); task !== undefined; task = this.#waiting.shift()) {
      try {
        await task();
      } catch (error) {
        this.#options.failed(error);
      }
    }
    this.#running = false;
  }
}
