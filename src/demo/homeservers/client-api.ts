// Owns one connection to a homeserver's client API: JSON requests, errors in words, retries on request.
import { z } from 'zod';

const errorSchema = z.object({ errcode: z.string(), error: z.string().optional(), retry_after_ms: z.number().optional() });
const sessionSchema = z.object({ user_id: z.string(), access_token: z.string(), device_id: z.string() });
const nothingSchema = z.unknown();

export interface MatrixSession {
  readonly userId: string;
  readonly accessToken: string;
  readonly deviceId: string;
}

/** A homeserver's refusal: status and Matrix error code. */
export class MatrixError extends Error {
  override readonly name = 'MatrixError';
  readonly status: number;
  readonly errcode: string;
  readonly retryAfterMs: number | undefined;

  constructor(request: string, status: number, body: z.infer<typeof errorSchema>) {
    super(`${request}: ${String(status)} ${body.errcode}${body.error === undefined ? '' : `, ${body.error}`}`);
    this.status = status;
    this.errcode = body.errcode;
    this.retryAfterMs = body.retry_after_ms;
  }
}

export interface ClientRequest<S extends z.ZodType> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below the homeserver's address, already encoded. */
  readonly path: string;
  readonly body?: unknown;
  /** What the answer must look like. */
  readonly answer: S;
  readonly signal?: AbortSignal;
}

export interface ClientApi {
  /** @throws MatrixError a refusal; TypeError no connection; ZodError an answer of another shape. */
  ask<S extends z.ZodType>(request: ClientRequest<S>): Promise<z.infer<S>>;
  /** As `ask`, for requests whose answer does not matter. */
  tell(method: 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<void>;
}

/** @param url "http://127.0.0.1:18441", without a slash at its end. */
export function clientApi(url: string, accessToken?: string): ClientApi {
  const ask: ClientApi['ask'] = async ({ method, path, body, answer, signal }) => {
    const response = await fetch(url + path, {
      method,
      headers: { ...(accessToken !== undefined && { authorization: `Bearer ${accessToken}` }), 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
    const text = await response.text();
    const json: unknown = text === '' ? {} : parseJson(text);
    if (response.ok) return answer.parse(json);
    const refusal = errorSchema.safeParse(json);
    throw new MatrixError(`${method} ${path.split('?')[0] ?? ''}`, response.status, refusal.success ? refusal.data : { errcode: 'M_UNKNOWN', error: text.slice(0, 200) });
  };
  return {
    ask,
    async tell(method, path, body = {}) {
      await ask({ method, path, body, answer: nothingSchema });
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Logs in with a password; the same device id again takes over the device and ends its older token. */
export async function logIn(api: ClientApi, localpart: string, password: string, deviceId: string): Promise<MatrixSession> {
  const session = await api.ask({
    method: 'POST',
    path: '/_matrix/client/v3/login',
    body: { type: 'm.login.password', identifier: { type: 'm.id.user', user: localpart }, password, device_id: deviceId },
    answer: sessionSchema,
  });
  return { userId: session.user_id, accessToken: session.access_token, deviceId: session.device_id };
}
