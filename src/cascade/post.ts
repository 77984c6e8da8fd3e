// Owns questions to another bridge's public listener: to addresses that are allowed only, over TLS unless the operator lists the network.
import type { ListedAddressPolicy } from '../util/addresses.ts';
import { err, ok, type Result } from '../util/result.ts';
import { safeFetch } from '../util/safe-fetch.ts';

export interface PostOptions {
  readonly policy: ListedAddressPolicy;
  readonly signal: AbortSignal;
}

export interface Posted {
  readonly status: number;
  readonly content: unknown;
}

const maxBodyBytes = 16_384;
const deadlineMs = 5_000;

/** @param base an `https:` or `http:` address without query. The error is for the operator */
export async function post(base: URL, path: string, body: object, { policy, signal }: PostOptions): Promise<Result<Posted, string>> {
  const isPlain = base.protocol === 'http:';
  const host = base.hostname.replace(/^\[|\]$/g, '');
  const answer = await safeFetch({
    protocol: isPlain ? 'http:' : 'https:',
    host,
    port: base.port === '' ? (isPlain ? 80 : 443) : Number(base.port),
    certificateName: host,
    hostHeader: base.host,
    path: `${base.pathname.replace(/\/+$/, '')}/${path}`,
    body: JSON.stringify(body),
    policy: isPlain ? { allows: (address) => policy.lists(address) } : policy,
    maxBodyBytes,
    signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]),
  });
  if (answer.ok) return ok({ status: answer.value.status, content: parseJson(answer.value.body) });
  const { kind, detail } = answer.error;
  if (kind !== 'forbiddenAddress') return err(detail);
  return err(isPlain ? `${base.host} is without TLS, which is refused unless its network is listed in access.privateAddresses` : `${detail}: list its network in access.privateAddresses if it is right`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
