// Owns the bodies of the second means of introduction (docs/protocol/cascade.md §1.2). Unknown members are ignored.
import { z } from 'zod';
import { isServerName, type ServerName } from '../call/ids.ts';
import { Secret } from '../log/logger.ts';
import { keyText, nonceText, versionList, versionText } from './invitation.ts';

const serverName = z.custom<ServerName>((value) => typeof value === 'string' && isServerName(value), 'is no server name');
const token = z.object({ access_token: z.string().min(1).max(2000).transform((text) => new Secret(text)), matrix_server_name: z.string().max(255) });

export const introduction = z.object({ versions: versionList.min(1), nonce: nonceText, server_name: serverName, openid_token: token });

const common = { nonce: nonceText, server_name: serverName, openid_token: token };
export const confirmation = z.union([z.object({ ...common, version: versionText, key: keyText }), z.object({ ...common, errcode: z.literal('FR_VIADUC_VERSION'), versions: versionList })]);

export type Confirmation = z.output<typeof confirmation>;
export type Introduction = z.output<typeof introduction>;

/** Who sends the request, as it says and as the token says: nothing is proved yet. */
export interface Claim {
  readonly server: ServerName;
  readonly token: z.output<typeof token>;
}

export function tokenOf(token: Secret<string>, server: ServerName): object {
  return { access_token: token.reveal(), token_type: 'Bearer', matrix_server_name: server };
}
