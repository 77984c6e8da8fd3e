// Port between the doors and the HTTP listener: one route of the public API. Bound by http/.
import type { CallError } from '../../call/errors.ts';
import type { Result } from '../../util/result.ts';

export interface RouteRequest {
  readonly params: Readonly<Record<string, string>>;
  /** Parsed JSON of whatever shape; undefined without a body. */
  readonly body: unknown;
  /** Of `Authorization: Bearer`. */
  readonly bearer: string | undefined;
  /** Who asks as far as addresses tell: an IPv4 address, or the network of an IPv6 address. */
  readonly source: string;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Express path, such as `/api/calls/:slug/join`. */
  readonly path: string;
  /** Web pages of every origin may call it (the MatrixRTC authorisation service). Others: our own page only. */
  readonly anyOrigin: boolean;
  /** Requests in a minute from one address. */
  readonly perMinute: number;
  /** undefined in value: 204 without a body. */
  readonly run: (request: RouteRequest) => Promise<Result<object | undefined, CallError>>;
}
