// Port: who somebody is, proved by the homeserver that issued their OpenID token. Implemented by matrix/.
import type { UserId } from '../../call/ids.ts';
import type { CallError } from '../../call/errors.ts';
import type { Result } from '../../util/result.ts';

/** Answer of `POST /_matrix/client/v3/user/{userId}/openid/request_token`. */
export interface OpenIdToken {
  readonly accessToken: string;
  readonly matrixServerName: string;
}

export interface IdentityVerifier {
  /**
   * Asks `GET /_matrix/federation/v1/openid/userinfo` of the named server. Post: the domain of the user id equals the server asked.
   * Refused: identityRejected (server not on the list, token refused, lying answer), homeserverUnavailable (with retryAfterMs).
   */
  verify(token: OpenIdToken): Promise<Result<UserId, CallError>>;
}
