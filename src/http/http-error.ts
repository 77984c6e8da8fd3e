// Owns how a refusal looks over HTTP: status, Matrix errcode, a sentence, a reference that is in the log too.
import { randomUUID } from 'node:crypto';
import type { CallError, CallErrorCode } from '../call/errors.ts';
import type { Logger } from '../log/logger.ts';

export interface HttpRefusal {
  readonly status: number;
  readonly body: { readonly errcode: string; readonly error: string; readonly ref: string; readonly retry_after_ms?: number };
}

interface Mapping {
  readonly status: number;
  readonly errcode: string;
  /** undefined: the detail is the sentence; it tells nothing of rooms. */
  readonly sentence: string | undefined;
}

const mappings: Readonly<Record<CallErrorCode, Mapping>> = {
  forbidden: { status: 403, errcode: 'M_FORBIDDEN', sentence: 'You are not a member of this room, or there is no such room. Ask to be invited.' },
  startForbidden: { status: 403, errcode: 'M_FORBIDDEN', sentence: 'No call runs, and you may not start one in this room. Ask a moderator to start it.' },
  publishForbidden: { status: 403, errcode: 'M_FORBIDDEN', sentence: 'You may not publish this.' },
  identityRejected: { status: 401, errcode: 'M_UNAUTHORIZED', sentence: 'Your homeserver did not confirm who you are, or its people are not admitted here. Ask for a new OpenID token and try again.' },
  signInInvalid: { status: 401, errcode: 'M_UNAUTHORIZED', sentence: 'This browser is not signed in any more. Say a new code in the room.' },
  ticketInvalid: { status: 401, errcode: 'M_UNAUTHORIZED', sentence: 'The ticket is not valid any more. Ask for a new one.' },
  callEnded: { status: 404, errcode: 'M_NOT_FOUND', sentence: 'The call has ended.' },
  trackUnknown: { status: 404, errcode: 'M_NOT_FOUND', sentence: 'There is no such track.' },
  limitExceeded: { status: 413, errcode: 'M_TOO_LARGE', sentence: undefined },
  badRequest: { status: 400, errcode: 'M_BAD_JSON', sentence: undefined },
  neighbourRefused: { status: 403, errcode: 'M_FORBIDDEN', sentence: 'This bridge waits for no such answer, or its sender has not proved who it is.' },
  tooManyRequests: { status: 429, errcode: 'M_LIMIT_EXCEEDED', sentence: 'Too many requests. Wait a moment.' },
  full: { status: 503, errcode: 'M_UNKNOWN', sentence: 'The call is full. Try again later.' },
  draining: { status: 503, errcode: 'M_UNKNOWN', sentence: 'The bridge is restarting. Try again in a few seconds.' },
  homeserverUnavailable: { status: 503, errcode: 'M_UNKNOWN', sentence: 'The homeserver does not answer. Try again in a moment.' },
  mediaUnavailable: { status: 503, errcode: 'M_UNKNOWN', sentence: 'There is no room for media at the moment. Try again in a few seconds.' },
};

/** Logs the details under a fresh reference and gives the caller's answer. */
export function refusalOf(error: CallError, log: Logger): HttpRefusal {
  const { status, errcode, sentence } = mappings[error.code];
  const ref = newRef();
  log.info('request refused', { ref, code: error.code, detail: error.detail });
  return { status, body: { errcode, error: sentence ?? error.detail, ref, ...(error.retryAfterMs !== undefined && { retry_after_ms: error.retryAfterMs }) } };
}

export function newRef(): string {
  return randomUUID().slice(0, 8);
}
