// Owns IdentityVerifier: a person's homeserver is asked whose OpenID token this is, and is not believed about anybody else.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { callError, type CallError } from '../call/errors.ts';
import { isServerName, isUserId, serverOf, type ServerName, type UserId } from '../call/ids.ts';
import type { Clock } from '../control/ports/clock.ts';
import type { IdentityVerifier, OpenIdToken } from '../control/ports/identity-verifier.ts';
import type { Logger } from '../log/logger.ts';
import { err, ok, type Result } from '../util/result.ts';
import type { SafeResponse } from '../util/safe-fetch.ts';
import type { ServerTest } from './allowed-servers.ts';
import { federationAsker, type FederationOptions } from './federation-request.ts';

export interface IdentityVerifierOptions extends FederationOptions {
  readonly isAllowed: ServerTest;
  readonly clock: Clock;
  readonly log: Logger;
}

const maxAtOnce = 32;
const maxAtOncePerServer = 8;
const busyRetryMs = 1_000;
const unavailableRetryMs = 5_000;
/** A refused token and a silent server are not asked about again for a moment. */
const refusedKeptMs = 10_000;
const silentKeptMs = 5_000;
const maxRefused = 5_000;

const userinfo = z.object({ sub: z.string() });
const tokenPattern = /^[\x21-\x7E]{1,2000}$/;

export function createIdentityVerifier(options: IdentityVerifierOptions): IdentityVerifier {
  const { isAllowed, clock, log } = options;
  const ask = federationAsker(options);
  const refusedUntilMs = new Map<string, number>();
  const silentUntilMs = new Map<ServerName, number>();
  const asking = new Map<ServerName, number>();
  let askingInAll = 0;

  const verify = async ({ accessToken }: OpenIdToken, server: ServerName): Promise<Result<UserId, CallError>> => {
    const answer = await ask(server, `/_matrix/federation/v1/openid/userinfo?access_token=${encodeURIComponent(accessToken)}`);
    if (!answer.ok) {
      log.info('homeserver could not be asked', { server, kind: answer.error.kind, detail: answer.error.detail });
      if (answer.error.kind === 'forbiddenAddress') return rejected(`${answer.error.detail} (access.privateAddresses may allow it)`);
      if (answer.error.kind === 'tooLarge') return rejected(answer.error.detail);
      silentUntilMs.set(server, clock.nowMs() + silentKeptMs);
      return err(callError('homeserverUnavailable', answer.error.detail, unavailableRetryMs));
    }
    silentUntilMs.delete(server);
    return judge(answer.value, server);
  };

  return {
    verify: async (token) => {
      const server = token.matrixServerName;
      if (!isServerName(server) || !isAllowed(server)) return rejected(`server ${JSON.stringify(server.slice(0, 260))} is not on the list (access.servers)`);
      if (!tokenPattern.test(token.accessToken)) return rejected('the token is malformed');
      const nowMs = clock.nowMs();
      const key = createHash('sha256').update(`${server} ${token.accessToken}`).digest('base64');
      if ((refusedUntilMs.get(key) ?? 0) > nowMs) return rejected('the token was refused a moment ago');
      const silentMs = (silentUntilMs.get(server) ?? 0) - nowMs;
      if (silentMs > 0) return err(callError('homeserverUnavailable', `${server} did not answer a moment ago`, silentMs));
      const here = asking.get(server) ?? 0;
      if (askingInAll >= maxAtOnce || here >= maxAtOncePerServer) return err(callError('homeserverUnavailable', `${here} questions to ${server} and ${askingInAll} in all are under way`, busyRetryMs));
      askingInAll += 1;
      asking.set(server, here + 1);
      try {
        const verdict = await verify(token, server);
        if (!verdict.ok && verdict.error.code === 'identityRejected') {
          if (refusedUntilMs.size >= maxRefused) refusedUntilMs.clear();
          refusedUntilMs.set(key, clock.nowMs() + refusedKeptMs);
        }
        return verdict;
      } finally {
        askingInAll -= 1;
        const left = (asking.get(server) ?? 1) - 1;
        if (left === 0) asking.delete(server);
        else asking.set(server, left);
      }
    },
  };
}

function judge({ status, headers, body }: SafeResponse, server: ServerName): Result<UserId, CallError> {
  if (status === 429 || status >= 500) {
    const seconds = Number(headers['retry-after']);
    return err(callError('homeserverUnavailable', `${server} answered ${status}`, Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 60) * 1000 : unavailableRetryMs));
  }
  if (status !== 200) return rejected(`${server} answered ${status}`);
  const answer = userinfo.safeParse(parseJson(body));
  if (!answer.success) return rejected(`${server} answered something else than a user`);
  const { sub } = answer.data;
  if (!isUserId(sub)) return rejected(`${server} answered ${JSON.stringify(sub.slice(0, 260))}, which is no user id`);
  if (serverOf(sub) !== server) return rejected(`${server} answered for a user of another server: ${sub}`);
  return ok(sub);
}

function rejected(detail: string): { readonly ok: false; readonly error: CallError } {
  return err(callError('identityRejected', detail));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
