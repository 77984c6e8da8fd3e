// Port: short-lived tickets and long-lived device sign-ins. Implemented by auth/.
import type { CallId, UserId } from '../../call/ids.ts';
import type { CallError } from '../../call/errors.ts';
import type { Identity } from '../../call/participant.ts';
import type { Result } from '../../util/result.ts';

export interface Ticket {
  readonly callId: CallId;
  readonly identity: Identity;
  readonly expiresAtMs: number;
}

export interface Tickets {
  /** A signed text, valid for the configured time (10 min by default), for this bridge, call and identity only. */
  mint(callId: CallId, identity: Identity): Promise<string>;
  /** Refused: ticketInvalid (signature, bridge, expiry, shape). */
  verify(text: string): Promise<Result<Ticket, CallError>>;
}

export interface SignIn {
  readonly id: string;
  readonly user: UserId;
  readonly expiresAtMs: number;
}

export interface SignIns {
  mint(signIn: SignIn): Promise<string>;
  /** Signature and expiry only; whether it was revoked is in the store. Refused: signInInvalid. */
  verify(text: string): Promise<Result<SignIn, CallError>>;
}
