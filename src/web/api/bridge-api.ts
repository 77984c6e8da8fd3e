// Owns the page's requests to its bridge; every answer is checked, every failure becomes a refusal.
import { safeParse, type ZodMiniType } from 'zod/mini';
import { type Refusal, refusalOf, type Result } from './refusal.ts';
import {
  type OpenIdToken, type PageInfo, pageInfoSchema, type Pairing, pairingSchema, type PairingStatus, pairingStatusSchema,
  refusalBodySchema, type Ticket, ticketSchema,
} from './schemas.ts';

/** What proves to the bridge who is asking. */
type Credential =
  | { readonly kind: 'openid'; readonly token: OpenIdToken }
  | { readonly kind: 'sign-in'; readonly token: string };

export interface BridgeApi {
  page(): Promise<Result<PageInfo>>;
  join(credential: Credential, deviceId: string): Promise<Result<Ticket>>;
  startPairing(): Promise<Result<Pairing>>;
  /** Answers as soon as something has changed, or after about 25 s with "waiting". */
  awaitPairing(secret: string, signal: AbortSignal): Promise<Result<PairingStatus>>;
  /** Revokes this device's sign-in. */
  forget(signIn: string): Promise<Result<undefined>>;
}

const requestTimeoutMs = 15_000;
const longPollTimeoutMs = 40_000;

const network = (cause: unknown): { ok: false; refusal: Refusal } => ({
  ok: false,
  refusal: { code: 'network', detail: cause instanceof Error ? cause.message : String(cause) },
});

async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a reverse proxy's page, not the bridge's answer
  }
}

async function request<T>(url: string, init: RequestInit, schema: ZodMiniType<T>): Promise<Result<T>> {
  try {
    const response = await fetch(url, { credentials: 'omit', cache: 'no-store', ...init });
    const body = await bodyOf(response);
    if (!response.ok) {
      const refusal = safeParse(refusalBodySchema, body);
      return { ok: false, refusal: refusalOf(response.status, refusal.success ? refusal.data : undefined) };
    }
    const parsed = safeParse(schema, body);
    if (parsed.success) return { ok: true, value: parsed.data };
    return { ok: false, refusal: { code: 'unexpected', detail: `${new URL(url).pathname}: ${parsed.error.issues[0]?.message ?? 'unknown shape'}` } };
  } catch (cause) {
    return network(cause);
  }
}

const post = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
  signal: AbortSignal.timeout(requestTimeoutMs),
});

/** @param apiRoot origin and prefix of the bridge, without a trailing slash. */
export function createBridgeApi(apiRoot: string, slug: string): BridgeApi {
  const call = `${apiRoot}/api/calls/${encodeURIComponent(slug)}`;
  return {
    page: () => request(`${apiRoot}/api/page`, { signal: AbortSignal.timeout(requestTimeoutMs) }, pageInfoSchema),
    join: (credential, deviceId) => request(
      `${call}/join`,
      post({ ...(credential.kind === 'openid' ? { openid_token: credential.token } : { sign_in: credential.token }), device_id: deviceId }),
      ticketSchema,
    ),
    startPairing: () => request(`${call}/pairing`, post({}), pairingSchema),
    awaitPairing: (secret, signal) => request(
      `${apiRoot}/api/pairings/${encodeURIComponent(secret)}`,
      { signal: AbortSignal.any([signal, AbortSignal.timeout(longPollTimeoutMs)]) },
      pairingStatusSchema,
    ),
    async forget(signIn) {
      try {
        const response = await fetch(`${apiRoot}/api/sign-in`, {
          method: 'DELETE', credentials: 'omit', headers: { authorization: `Bearer ${signIn}` }, signal: AbortSignal.timeout(requestTimeoutMs),
        });
        return response.ok ? { ok: true, value: undefined } : { ok: false, refusal: refusalOf(response.status, undefined) };
      } catch (cause) {
        return network(cause);
      }
    },
  };
}
