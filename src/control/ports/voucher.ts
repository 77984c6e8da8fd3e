// Port: what bridges prove themselves with to each other where homeservers carry no requests between them: OpenID tokens, published addresses. Implemented by matrix/.
import { isUserId, parse, type ServerName, type UserId } from '../../call/ids.ts';
import type { Secret } from '../../log/logger.ts';
import type { Result } from '../../util/result.ts';
import type { IdentityVerifier } from './identity-verifier.ts';

/** `verify` takes tokens of every server: whether that one may be asked was decided before. */
export interface Voucher extends IdentityVerifier {
  /** An OpenID token of our speaker, good for a while. @throws Error in words when our homeserver gives none */
  token(): Promise<Secret<string>>;
  /** The address that the server publishes for its bridge; undefined: none. The error says why it could not be asked. */
  bridgeOf(server: ServerName, signal: AbortSignal): Promise<Result<URL | undefined, string>>;
}

/** The user who speaks for a bridge: in no room, so that a token which others have seen opens nothing (docs/protocol/cascade.md §1.2). */
export function speakerOf(bot: string, server: ServerName): UserId {
  return parse(isUserId, `@${bot}_bridge:${server}`, 'user id');
}
