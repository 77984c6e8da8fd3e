// Owns the refusals of the domain: a closed list, each explained in docs/errors.md.

export const callErrorCodes = [
  'forbidden',
  'identityRejected',
  'signInInvalid',
  'ticketInvalid',
  'callEnded',
  'startForbidden',
  'publishForbidden',
  'trackUnknown',
  'limitExceeded',
  'tooManyRequests',
  'badRequest',
  'neighbourRefused',
  'full',
  'draining',
  'homeserverUnavailable',
  'mediaUnavailable',
] as const;

export type CallErrorCode = (typeof callErrorCodes)[number];

/** `detail` is for the log and the operator, never for the person refused. */
export interface CallError {
  readonly code: CallErrorCode;
  readonly detail: string;
  readonly retryAfterMs?: number;
}

export function callError(code: CallErrorCode, detail: string, retryAfterMs?: number): CallError {
  return retryAfterMs === undefined ? { code, detail } : { code, detail, retryAfterMs };
}
