// Owns requests to hosts that strangers name: the address is checked when it is connected to, answers are small, time is short.
import type { LookupAddress } from 'node:dns';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { AddressPolicy } from './addresses.ts';
import { asError } from './background.ts';
import { allowedAddresses, pinned, type LookupError } from './pinned-lookup.ts';
import { err, ok, type Result } from './result.ts';

export interface SafeRequest {
  /** `http:` only for addresses that the operator configured. */
  readonly protocol: 'https:' | 'http:';
  /** Connected to: a name or an IP address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Whose certificate must be shown. */
  readonly certificateName: string;
  /** Value of the Host header. */
  readonly hostHeader: string;
  /** Path and query. */
  readonly path: string;
  /** JSON: makes it a POST. */
  readonly body?: string;
  readonly policy: AddressPolicy;
  readonly maxBodyBytes: number;
  readonly signal: AbortSignal;
}

export interface SafeResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface SafeFetchError {
  readonly kind: LookupError['kind'] | 'tooLarge' | 'unreachable';
  readonly detail: string;
}

export type SafeFetch = (request: SafeRequest) => Promise<Result<SafeResponse, SafeFetchError>>;

/** A GET, or a POST with a body, without redirects, cookies, compression or connection reuse. Post: no packet went to an address that the policy forbids. */
export const safeFetch: SafeFetch = async (request) => {
  const addresses = await allowedAddresses(request);
  return addresses.ok ? await send(request, addresses.value) : addresses;
};

function send(request: SafeRequest, addresses: readonly LookupAddress[]): Promise<Result<SafeResponse, SafeFetchError>> {
  const { protocol, host, port, certificateName, hostHeader, path, body, policy, maxBodyBytes, signal } = request;
  const { promise, resolve } = Promise.withResolvers<Result<SafeResponse, SafeFetchError>>();
  const fail = (kind: SafeFetchError['kind'], detail: string) => resolve(err({ kind, detail }));
  const options = {
    host,
    port,
    path,
    method: body === undefined ? 'GET' : 'POST',
    agent: false,
    signal,
    maxHeaderSize: 16 * 1024,
    headers: { host: hostHeader, accept: 'application/json', 'user-agent': 'Viaduc', ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }) },
    lookup: pinned(addresses),
    // Without a name in the handshake, Node compares the certificate with the address.
    ...(protocol === 'https:' && { servername: isIP(certificateName) === 0 ? certificateName : '' }),
  };
  const outgoing = protocol === 'https:' ? httpsRequest(options) : httpRequest(options);
  outgoing.on('socket', (socket) => {
    // Asked once more where it counts: on the connection that was made.
    socket.once('connect', () => {
      if (!policy.allows(socket.remoteAddress ?? '')) outgoing.destroy(new Error(`connected to ${socket.remoteAddress ?? 'nowhere'}`));
    });
  });
  outgoing.on('error', (error) => {
    if (signal.aborted) fail('timeout', `${host}:${port} did not answer in time`);
    else fail('unreachable', `${host}:${port}: ${messageOf(error)}`);
  });
  outgoing.on('response', (response) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    response.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes <= maxBodyBytes) {
        chunks.push(chunk);
        return;
      }
      fail('tooLarge', `${host}:${port} answered more than ${maxBodyBytes} bytes`);
      outgoing.destroy();
    });
    response.on('end', () => resolve(ok({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString('utf8') })));
    response.on('error', (error) => fail(signal.aborted ? 'timeout' : 'unreachable', `${host}:${port}: ${error.message}`));
  });
  outgoing.end(body);
  return promise;
}

function messageOf(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map((cause) => asError(cause).message).join('; ');
  return error.message;
}
