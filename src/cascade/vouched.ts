// Owns what both sides of the second means of introduction need: where a neighbour's bridge is, and whose token it shows.
import type { ServerName, UserId } from '../call/ids.ts';
import type { Voucher } from '../control/ports/voucher.ts';
import type { ListedAddressPolicy } from '../util/addresses.ts';
import { err, ok, type Result } from '../util/result.ts';
import type { Claim } from './vouched-shapes.ts';

export interface VouchingOptions {
  readonly voucher: Voucher;
  /** The user who speaks for that server's bridge. */
  readonly speakerOf: (server: ServerName) => UserId;
  /** What our operator has configured; undefined: what the server publishes. */
  readonly urlOf: (server: ServerName) => URL | undefined;
}

export interface VouchedOptions extends VouchingOptions {
  readonly own: ServerName;
  readonly policy: ListedAddressPolicy;
}

export const confirmPath = 'cascade/confirm';

/** undefined in value: the server has published none. The error is for the operator. */
export async function bridgeOf({ voucher, urlOf }: VouchingOptions, server: ServerName, signal: AbortSignal): Promise<Result<URL | undefined, string>> {
  const configured = urlOf(server);
  return configured === undefined ? await voucher.bridgeOf(server, signal) : ok(configured);
}

export type Verdict = Result<undefined, { readonly code: 'token' | 'unverified'; readonly detail: string }>;

/** Does the homeserver of `server` say that this is its speaker's token? */
export async function verifySpeaker({ voucher, speakerOf }: VouchingOptions, { server, token }: Claim): Promise<Verdict> {
  if (token.matrix_server_name !== server) return err({ code: 'token', detail: 'it is a token of another server' });
  const user = await voucher.verify({ accessToken: token.access_token.reveal(), matrixServerName: server });
  if (!user.ok) return err({ code: user.error.code === 'homeserverUnavailable' ? 'unverified' : 'token', detail: user.error.detail });
  const speaker = speakerOf(server);
  return user.value === speaker ? ok(undefined) : err({ code: 'token', detail: `it is a token of ${user.value}, not of ${speaker}` });
}
