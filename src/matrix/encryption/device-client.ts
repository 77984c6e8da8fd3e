// Owns the crypto thread's requests to our homeserver: as the bot, mostly as its device of keys, with deadlines and one kind of error.
import { z } from 'zod';

export interface DeviceClientOptions {
  readonly url: string;
  readonly asToken: string;
  readonly user: string;
  readonly device: string;
  /** Aborted: nothing is asked any more. */
  readonly signal: AbortSignal;
}

export interface DeviceRequest {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly timeoutMs?: number;
  /** False: as the bot, from no device: to make or look up devices. */
  readonly asDevice?: boolean;
}

/** A request failed. `status` undefined: no answer came. */
export class RequestError extends Error {
  readonly status: number | undefined;
  readonly errcode: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, details: { readonly status?: number; readonly errcode?: string | undefined; readonly retryAfterMs?: number | undefined; readonly cause?: unknown } = {}) {
    super(message, { cause: details.cause });
    this.name = 'RequestError';
    this.status = details.status;
    this.errcode = details.errcode;
    this.retryAfterMs = details.retryAfterMs;
  }
}

type Method = 'GET' | 'POST' | 'PUT';

const usualTimeoutMs = 30_000;
const refusal = z.object({ errcode: z.string().optional(), error: z.string().optional(), retry_after_ms: z.number().optional() });

export class DeviceClient {
  readonly device: string;
  readonly user: string;
  readonly #options: DeviceClientOptions;

  constructor(options: DeviceClientOptions) {
    this.#options = options;
    this.device = options.device;
    this.user = options.user;
  }

  /** @param path below /_matrix/client/v3, encoded. @returns the answer's JSON. @throws RequestError */
  async request(method: Method, path: string, request: DeviceRequest = {}): Promise<unknown> {
    const { query, body, timeoutMs = usualTimeoutMs, asDevice = true } = request;
    const { url, user, device, asToken, signal } = this.#options;
    const search = new URLSearchParams({ user_id: user, ...(asDevice && { device_id: device }), ...query });
    const what = `${method} ${path.replace(/^(\/sendToDevice\/[^/]+)\/.*/, '$1')}`;
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${url}/_matrix/client/v3${path}?${search.toString()}`, {
        method,
        headers: { authorization: `Bearer ${asToken}`, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
      text = await response.text();
    } catch (cause) {
      throw new RequestError(`${what}: no answer (${describe(cause)})`, { cause });
    }
    const json = parseJson(text);
    if (response.ok) return json;
    const { errcode, error, retry_after_ms: retryAfterMs } = refusal.safeParse(json).data ?? {};
    throw new RequestError(`${what}: ${response.status} ${errcode ?? 'without a Matrix error'} ${error ?? ''}`.trim(), { status: response.status, errcode, retryAfterMs });
  }
}

function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.cause instanceof Error ? thrown.cause.message : thrown.message;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
