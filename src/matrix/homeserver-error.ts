// Owns what a failed request to our homeserver means: to be tried again, or never.
import { MatrixError } from 'matrix-bot-sdk';
import { z } from 'zod';
import { asError } from '../util/background.ts';

/** A request to our homeserver failed. `status` undefined: no answer came. */
export class HomeserverError extends Error {
  readonly status: number | undefined;
  readonly errcode: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, details: { readonly status?: number; readonly errcode?: string; readonly retryAfterMs?: number | undefined; readonly cause?: unknown }) {
    super(message, { cause: details.cause });
    this.name = 'HomeserverError';
    this.status = details.status;
    this.errcode = details.errcode;
    this.retryAfterMs = details.retryAfterMs;
  }

  /** 401 counts too: the homeserver does not know our registration until its operator adds it. */
  get isTransient(): boolean {
    return this.status === undefined || this.status === 401 || this.status === 429 || this.status >= 500;
  }

  get isForbidden(): boolean {
    return this.status === 403 || this.status === 404;
  }
}

// What the SDK throws for an answer that is no JSON error: the response itself.
const bareResponse = z.object({ statusCode: z.number() });

export function asHomeserverError(thrown: unknown, what: string): HomeserverError {
  if (thrown instanceof HomeserverError) return thrown;
  if (thrown instanceof MatrixError) {
    const { statusCode: status, errcode, error, body } = thrown;
    // The body is in milliseconds, the Retry-After header rounds up to seconds.
    const retryAfterMs = body.retry_after_ms ?? thrown.retryAfterMs;
    return new HomeserverError(`${what}: ${status} ${errcode} ${error}`, { status, errcode, retryAfterMs, cause: thrown });
  }
  const bare = bareResponse.safeParse(thrown);
  if (bare.success) return new HomeserverError(`${what}: ${bare.data.statusCode} without a Matrix error`, { status: bare.data.statusCode });
  const cause = asError(thrown);
  return new HomeserverError(`${what}: no answer (${cause.message})`, { cause });
}
