// Owns the shapes that more than one door accepts.
import { z } from 'zod';
import { callError, type CallError } from '../call/errors.ts';
import { err, ok, type Result } from '../util/result.ts';

/** Answer of a homeserver's `openid/request_token`, as clients hand it on. */
export const openIdToken = z
  .object({ access_token: z.string().min(1).max(4096), matrix_server_name: z.string().min(1).max(255) })
  .transform(({ access_token: accessToken, matrix_server_name: matrixServerName }) => ({ accessToken, matrixServerName }));

/** Claimed by the client; becomes part of the identity, so it must not hold what an identity cannot. */
export const deviceText = z.string().regex(/^[\x21-\x7E]{1,255}$/, 'must be 1 to 255 printable ASCII characters');

/** Refused: badRequest, naming the member at fault. */
export function checkBody<Body>(schema: z.ZodType<Body>, body: unknown): Result<Body, CallError> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return ok(parsed.data);
  const [issue] = parsed.error.issues;
  return err(callError('badRequest', issue === undefined ? 'the body is not as expected' : `${issue.path.map(String).join('.') || 'body'}: ${issue.message}`));
}
