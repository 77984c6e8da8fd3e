// Owns the two signed texts: the ticket to a call (a LiveKit access token) and the sign-in of a device.
import { randomUUID } from 'node:crypto';
import { CompactSign, jwtVerify } from 'jose';
import { z } from 'zod';
import { callError } from '../call/errors.ts';
import { isCallId, isUserId, serverOf, type CallId, type ServerName, type UserId } from '../call/ids.ts';
import { memberPermissions, type Permissions } from '../call/roles.ts';
import type { TrackSource } from '../call/track.ts';
import type { Clock } from '../control/ports/clock.ts';
import type { SignIns, Tickets } from '../control/ports/tickets.ts';
import { err, ok, type Result } from '../util/result.ts';

export interface TokenOptions {
  readonly key: Uint8Array;
  /** The homeserver whose bridge this is: a ticket of one bridge opens no other. */
  readonly server: ServerName;
  readonly clock: Clock;
}

const callIdText = z.custom<CallId>((value) => typeof value === 'string' && isCallId(value));
const userIdText = z.custom<UserId>((value) => typeof value === 'string' && isUserId(value));

const ticketClaims = z.object({
  sub: z.string().min(1),
  name: z.string(),
  exp: z.number(),
  viaduc: z.strictObject({ call: callIdText, user: userIdText, device: z.string(), role: z.enum(['participant', 'moderator', 'owner']) }),
});

const signInClaims = z.object({ sub: userIdText, jti: z.string().min(1), exp: z.number() });

/** Names of LiveKit's `canPublishSources`. */
const sourceNames: Readonly<Record<TrackSource, string>> = { camera: 'camera', microphone: 'microphone', screenShare: 'screen_share', screenShareAudio: 'screen_share_audio', unknown: 'unknown' };

export function createTickets({ key, server, clock, lifetimeMs }: TokenOptions & { readonly lifetimeMs: number }): Tickets {
  const issuer = issuerOf(server);
  return {
    mint: (callId, identity) => {
      const { user, device, role, name } = identity;
      return sign({ key, issuer, audience: 'call', subject: identity.identity, clock, lifetimeMs, claims: { name, video: grants(callId, identity.permissions), viaduc: { call: callId, user, device, role } } });
    },
    verify: async (text) => {
      const claims = await verify({ key, issuer, audience: 'call', clock, text, schema: ticketClaims });
      if (!claims.ok) return err(callError('ticketInvalid', claims.error));
      const { sub, name, exp, viaduc } = claims.value;
      const { call, user, device, role } = viaduc;
      return ok({ callId: call, expiresAtMs: exp * 1000, identity: { identity: sub, user, server: serverOf(user), device, name, role, permissions: memberPermissions } });
    },
  };
}

export function createSignIns({ key, server, clock }: TokenOptions): SignIns {
  const issuer = issuerOf(server);
  return {
    mint: ({ id, user, expiresAtMs }) => sign({ key, issuer, audience: 'sign-in', subject: user, id, clock, lifetimeMs: expiresAtMs - clock.nowMs(), claims: {} }),
    verify: async (text) => {
      const claims = await verify({ key, issuer, audience: 'sign-in', clock, text, schema: signInClaims });
      if (!claims.ok) return err(callError('signInInvalid', claims.error));
      return ok({ id: claims.value.jti, user: claims.value.sub, expiresAtMs: claims.value.exp * 1000 });
    },
  };
}

function issuerOf(server: ServerName): string {
  return `viaduc:${server}`;
}

/** LiveKit's `video` claim: clients read it, we do not. */
function grants(callId: CallId, { mayPublish, maySubscribe, mayPublishData, mayUpdateMetadata, sources }: Permissions): object {
  return { room: callId, roomJoin: true, canPublish: mayPublish, canSubscribe: maySubscribe, canPublishData: mayPublishData, canUpdateOwnMetadata: mayUpdateMetadata, canPublishSources: sources.map((source) => sourceNames[source]) };
}

interface Signing {
  readonly key: Uint8Array;
  readonly issuer: string;
  readonly audience: string;
  readonly subject: string;
  readonly id?: string;
  readonly clock: Clock;
  readonly lifetimeMs: number;
  readonly claims: Readonly<Record<string, unknown>>;
}

function sign({ key, issuer, audience, subject, id, clock, lifetimeMs, claims }: Signing): Promise<string> {
  const nowSeconds = Math.floor(clock.nowMs() / 1000);
  const payload = { ...claims, iss: issuer, aud: audience, sub: subject, jti: id ?? randomUUID(), iat: nowSeconds, nbf: nowSeconds, exp: nowSeconds + Math.ceil(lifetimeMs / 1000) };
  return new CompactSign(new TextEncoder().encode(plain(JSON.stringify(payload)))).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(key);
}

/** Element Call reads claims by `atob`, which knows neither of the two characters that base64url has instead of base64's: no text written like this has them. */
function plain(json: string): string {
  return json.replaceAll(/[^\x20-\x7D]|[>?]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

interface Verifying<Claims> {
  readonly key: Uint8Array;
  readonly issuer: string;
  readonly audience: string;
  readonly clock: Clock;
  readonly text: string;
  readonly schema: z.ZodType<Claims>;
}

async function verify<Claims>({ key, issuer, audience, clock, text, schema }: Verifying<Claims>): Promise<Result<Claims, string>> {
  try {
    const { payload } = await jwtVerify(text, key, { algorithms: ['HS256'], issuer, audience, currentDate: new Date(clock.nowMs()), clockTolerance: 0, requiredClaims: ['exp', 'nbf', 'sub', 'jti'] });
    const claims = schema.safeParse(payload);
    return claims.success ? ok(claims.data) : err('the claims are not ours');
  } catch (error) {
    return err(error instanceof Error ? error.message : 'not a token');
  }
}
