// Owns what a refused client is told over HTTP: clients decide by the status whether to try again.
import type { CallError, CallErrorCode } from '../call/errors.ts';

export interface HttpRefusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

// 404 is never used here: clients take it for "this server does not know the path".
const answers: Readonly<Record<CallErrorCode, { readonly status: number; readonly body: string }>> = {
  ticketInvalid: { status: 401, body: 'the ticket is not valid: ask for a new one' },
  identityRejected: { status: 401, body: 'the ticket is not valid: ask for a new one' },
  signInInvalid: { status: 401, body: 'the ticket is not valid: ask for a new one' },
  forbidden: { status: 403, body: 'you may not join this call' },
  startForbidden: { status: 403, body: 'you may not join this call' },
  publishForbidden: { status: 403, body: 'you may not join this call' },
  neighbourRefused: { status: 403, body: 'you may not join this call' },
  callEnded: { status: 403, body: 'this call has ended' },
  trackUnknown: { status: 400, body: 'the request cannot be understood' },
  badRequest: { status: 400, body: 'the request cannot be understood' },
  limitExceeded: { status: 400, body: 'the request is too large' },
  tooManyRequests: { status: 429, body: 'too many requests: wait a little' },
  full: { status: 503, body: 'the call is full' },
  draining: { status: 503, body: 'the service is restarting: try again in a moment' },
  homeserverUnavailable: { status: 503, body: 'the homeserver does not answer: try again in a moment' },
  mediaUnavailable: { status: 503, body: 'no media server is available: try again in a moment' },
};

export function toHttpRefusal({ code, retryAfterMs }: Pick<CallError, 'code' | 'retryAfterMs'>): HttpRefusal {
  const { status, body } = answers[code];
  const retryAfter = retryAfterMs ?? (status === 503 || status === 429 ? 5_000 : undefined);
  return { status, body, headers: retryAfter === undefined ? {} : { 'Retry-After': String(Math.ceil(retryAfter / 1_000)) } };
}
