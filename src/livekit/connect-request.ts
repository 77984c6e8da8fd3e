// Owns the reading of a client's connect request: its ticket, what it says of itself and what it wants. LiveKit's v0 path.
import type { IncomingMessage } from 'node:http';
import { ClientInfo_Capability } from '@livekit/protocol';
import { z } from 'zod';
import type { ClientProfile } from '../call/participant.ts';
import { Secret } from '../log/logger.ts';

export interface ConnectRequest {
  readonly ticket: Secret<string>;
  readonly profile: ClientProfile;
  /** LiveKit signalling protocol of the client; below 15 it does not expect an answer to a successful request. */
  readonly protocol: number;
  readonly autoSubscribe: boolean;
  /** It wants to resume an earlier session. */
  readonly reconnect: boolean;
}

const maxTicketLength = 16_384;
const flag = z.enum(['0', '1', 'true', 'false', 't', 'f', '']).transform((text) => text === '1' || text === 'true' || text === 't');
const version = z.string().regex(/^\d{1,4}$/).transform(Number);

const query = z.object({
  access_token: z.string().max(maxTicketLength).default(''),
  auto_subscribe: flag.default(true).catch(true),
  reconnect: flag.default(false).catch(false),
  protocol: version.default(0).catch(0),
  client_protocol: version.default(0).catch(0),
  capabilities: z.string().max(1_000).default('').catch(''),
});

/** undefined: no ticket. What a client says of itself may be nonsense, that is no reason to refuse it. */
export function readConnectRequest(request: Pick<IncomingMessage, 'headers'>, url: URL): ConnectRequest | undefined {
  const parsed = query.safeParse(Object.fromEntries(url.searchParams));
  if (!parsed.success) return undefined;
  const said = parsed.data;
  const ticket = said.access_token === '' ? bearer(request.headers.authorization) : said.access_token;
  if (ticket === undefined) return undefined;
  return {
    ticket: new Secret(ticket),
    profile: { clientProtocol: said.client_protocol, capabilities: readCapabilities(said.capabilities) },
    protocol: said.protocol,
    autoSubscribe: said.auto_subscribe,
    reconnect: said.reconnect,
  };
}

/** A comma-separated list of ClientInfo.Capability, by name or number. */
function readCapabilities(text: string): number[] {
  const names = new Map<string, number>(Object.entries(ClientInfo_Capability).flatMap(([name, value]) => (typeof value === 'number' ? [[name, value] as const] : [])));
  const known = new Set(names.values());
  return [...new Set(text.split(',').flatMap((word) => {
    const value = names.get(word.trim()) ?? Number(word.trim() === '' ? Number.NaN : word);
    return known.has(value) ? [value] : [];
  }))];
}

function bearer(header: string | undefined): string | undefined {
  const match = /^Bearer +(\S+)$/i.exec(header ?? '');
  const ticket = match?.[1];
  return ticket === undefined || ticket.length > maxTicketLength ? undefined : ticket;
}
