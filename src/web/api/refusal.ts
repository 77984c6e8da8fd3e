// Owns why the bridge, the network or the host said no, and the words for it. No DOM.
import type { MessageKey } from '../i18n/en.ts';
import type { RefusalBody } from './schemas.ts';

type RefusalCode =
  | 'unauthorized' | 'signed-out' | 'forbidden' | 'limited' | 'unavailable' | 'network' | 'media' | 'no-identity' | 'unexpected';

export interface Refusal {
  readonly code: RefusalCode;
  /** The bridge's own reference of the event, for the operator. */
  readonly reference?: string;
  readonly retryAfterMs?: number;
  /** The bridge's own sentence, shown when the page has none for the code. */
  readonly detail?: string;
}

export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal };

function codeOf(status: number, errcode: string | undefined): RefusalCode {
  if (status === 401 || errcode === 'M_UNAUTHORIZED') return 'unauthorized';
  if (status === 403 || errcode === 'M_FORBIDDEN') return 'forbidden';
  if (status === 429 || errcode === 'M_LIMIT_EXCEEDED') return 'limited';
  return status >= 500 ? 'unavailable' : 'unexpected';
}

/**
 * Turns an HTTP answer that is not a success into a refusal.
 * @param body the parsed body, or undefined when it was not the bridge's (a reverse proxy's error page).
 */
export function refusalOf(status: number, body: RefusalBody | undefined): Refusal {
  return {
    code: codeOf(status, body?.errcode),
    detail: body?.error ?? `HTTP ${status}`,
    ...(body?.ref !== undefined && { reference: body.ref }),
    ...(body?.retry_after_ms !== undefined && { retryAfterMs: body.retry_after_ms }),
  };
}

/** Whether time alone may mend it: the page then tries again by itself while it rejoins. */
export function isPassing(refusal: Refusal): boolean {
  switch (refusal.code) {
    case 'limited':
    case 'unavailable':
    case 'network':
    case 'media':
      return true;
    case 'unauthorized':
    case 'signed-out':
    case 'forbidden':
    case 'no-identity':
    case 'unexpected':
      return false;
  }
}

/** The sentence to show. */
export function refusalMessage(refusal: Refusal): MessageKey {
  return `refusal.${refusal.code}`;
}
