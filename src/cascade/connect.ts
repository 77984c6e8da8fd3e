// Owns opening the WebSocket to a neighbour: to addresses that are allowed only, over TLS unless the operator listed the network.
import { WebSocket } from 'ws';
import type { ListedAddressPolicy } from '../util/addresses.ts';
import { allowedAddresses, pinned } from '../util/pinned-lookup.ts';
import { err, ok, type Result } from '../util/result.ts';
import type { Invitation } from './invitation.ts';
import { socketOptions } from './limits.ts';
import { subprotocol } from './version.ts';

export interface ConnectOptions {
  readonly policy: ListedAddressPolicy;
  readonly signal: AbortSignal;
}

/** Post: open, and paused: nothing is received until `resume`. The error is for the operator. */
export async function connect({ url, key }: Invitation, { policy, signal }: ConnectOptions): Promise<Result<WebSocket, string>> {
  const isPlain = url.protocol === 'ws:';
  // Without TLS nobody knows who answers: only where the operator says that the way there is safe.
  const allows = (address: string) => (isPlain ? policy.lists(address) : policy.allows(address));
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const addresses = await allowedAddresses({ host, policy: { allows }, signal });
  if (!addresses.ok) {
    const { kind, detail } = addresses.error;
    if (kind !== 'forbiddenAddress') return err(detail);
    return err(isPlain ? `${url.host} is offered without TLS, which is refused unless its network is listed in access.privateAddresses` : `${detail}: list its network in access.privateAddresses if it is right`);
  }
  if (signal.aborted) return err(`${url.host} was not reached in time`);
  const ws = new WebSocket(url, subprotocol, {
    headers: { authorization: `Bearer ${key.reveal()}` },
    lookup: pinned(addresses.value),
    ...socketOptions,
    followRedirects: false,
  });
  return await opened(ws, url.host, signal);
}

function opened(ws: WebSocket, host: string, signal: AbortSignal): Promise<Result<WebSocket, string>> {
  const { promise, resolve } = Promise.withResolvers<Result<WebSocket, string>>();
  const abort = () => ws.terminate();
  signal.addEventListener('abort', abort);
  ws.once('unexpected-response', (request, { statusCode = 0 }) => {
    resolve(err(statusCode === 401 ? `${host} does not take the key that it has given` : `${host} answers with status ${statusCode} instead of a WebSocket`));
    request.destroy();
    ws.terminate();
  });
  // Stays: an error between the opening and its next owner must not go unheard.
  ws.on('error', (error) => resolve(err(signal.aborted ? `${host} was not reached in time` : `${host} is not reached: ${messageOf(error)}`)));
  ws.once('close', () => signal.removeEventListener('abort', abort));
  ws.once('open', () => {
    signal.removeEventListener('abort', abort);
    // The other's first frame may have come with the handshake: it waits for whoever listens.
    ws.pause();
    resolve(ok(ws));
  });
  return promise;
}

function messageOf(error: Error): string {
  return error instanceof AggregateError ? error.errors.map(String).join('; ') : error.message;
}
