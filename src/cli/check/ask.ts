// Owns asking a server over HTTP, and why it did not answer.
import { asError } from '../../util/background.ts';

const deadlineMs = 5000;

/** JSON, or undefined where the body is none. @throws when nobody answers in time */
export async function ask(url: string, token?: string, body?: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body }),
    signal: AbortSignal.timeout(deadlineMs),
    redirect: 'manual',
  });
  const text = await response.text();
  try {
    return { status: response.status, body: JSON.parse(text) as unknown };
  } catch {
    return { status: response.status, body: undefined };
  }
}

/** What went wrong, in words. */
export function reason(thrown: unknown): string {
  const error = asError(thrown);
  const cause = error.cause instanceof Error ? error.cause : error;
  // A refused connection to several addresses has no message of its own.
  return cause.message === '' ? String(Reflect.get(cause, 'code')) : cause.message;
}
