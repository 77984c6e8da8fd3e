// Owns requests: asked once, answered by an event.
import { IdbTarget, type IdbEvent } from './events.ts';
import { fault } from './fault.ts';
import type { IDBTransaction } from './transaction.ts';

export type Handler = ((event: IdbEvent) => unknown) | null;

export class IDBRequest extends IdbTarget {
  onsuccess: Handler = null;
  onerror: Handler = null;
  source: unknown = null;
  transaction: IDBTransaction | null = null;
  readyState: 'pending' | 'done' = 'pending';
  #result: unknown;
  #error: DOMException | null = null;

  get result(): unknown {
    this.#mustBeDone();
    return this.#result;
  }

  get error(): DOMException | null {
    this.#mustBeDone();
    return this.#error;
  }

  /** Post: the request has its answer; nobody has been told yet. */
  settle(answer: { readonly result?: unknown; readonly error?: DOMException }): void {
    this.#result = answer.result;
    this.#error = answer.error ?? null;
    this.readyState = 'done';
  }

  /** A cursor asks with the same request again and again. */
  askAgain(): void {
    this.readyState = 'pending';
  }

  #mustBeDone(): void {
    if (this.readyState !== 'done') throw fault('InvalidStateError', 'the request is pending');
  }
}

export class IDBOpenDBRequest extends IDBRequest {
  onupgradeneeded: Handler = null;
  onblocked: Handler = null;
}
