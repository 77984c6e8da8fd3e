// Owns registration.yaml: what the homeserver and the bridge must agree on, read at each start.
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import type { ServerName } from '../call/ids.ts';
import { Secret } from '../log/logger.ts';
import { err, ok, type Result } from '../util/result.ts';

export interface Registration {
  readonly id: string;
  /** Where the homeserver reaches the appservice listener. */
  readonly url: string;
  readonly asToken: Secret<string>;
  readonly hsToken: Secret<string>;
  /** Regular expressions of the users that are ours. */
  readonly users: readonly string[];
}

const token = z.string().min(16, 'must be a random text of at least 16 characters').regex(/^[\x21-\x7E]+$/, 'must be printable ASCII').transform((text) => new Secret(text));
const schema = z.object({
  id: z.string().min(1),
  url: z.url({ protocol: /^https?$/ }),
  as_token: token,
  hs_token: token,
  sender_localpart: z.string().min(1),
  namespaces: z.object({ users: z.array(z.object({ regex: z.string(), exclusive: z.boolean() })).min(1) }),
});

/** Refused with one sentence per fault, naming the key. */
export function parseRegistration(text: string, expected: { readonly serverName: ServerName; readonly botLocalpart: string }): Result<Registration, string> {
  const parsed = schema.safeParse(parseSafely(text));
  if (!parsed.success) return err(parsed.error.issues.map(({ path, message }) => `${path.length === 0 ? 'the file' : path.join('.')}: ${message}`).join('; '));
  const { id: appserviceId, url, as_token: asToken, hs_token: hsToken, namespaces, sender_localpart: sender } = parsed.data;
  if (asToken.reveal() === hsToken.reveal()) return err('as_token and hs_token must differ');
  if (sender === expected.botLocalpart) return err(`sender_localpart must not be the bot's (${sender}): the sender cannot take part in rooms`);
  const users = namespaces.users.map(({ regex }) => regex);
  const bot = `@${expected.botLocalpart}:${expected.serverName}`;
  if (!users.some((regex) => matches(regex, bot))) return err(`namespaces.users must hold the bot ${bot}`);
  return ok({ id: appserviceId, url, asToken, hsToken, users });
}

function parseSafely(text: string): unknown {
  try {
    return parseYaml(text);
  } catch {
    return undefined;
  }
}

function matches(regex: string, user: string): boolean {
  try {
    return new RegExp(`^(?:${regex})$`).test(user);
  } catch {
    return false;
  }
}
