// Owns counting: people, not connections, by organisation.
import type { Call } from './call.ts';
import type { ServerName, UserId } from './ids.ts';

export interface OrganisationCount {
  readonly server: ServerName;
  readonly count: number;
}

/** People now in an open call, or who came to an ended one; per organisation, largest first, then by name. */
export function peopleByOrganisation(call: Call): readonly OrganisationCount[] {
  const people: Iterable<readonly [UserId, ServerName]> = call.endedAtMs === undefined ? [...call.participants.values()].map(({ user, server }) => [user, server] as const) : call.attendance;
  const counts = new Map<ServerName, number>();
  for (const server of new Map(people).values()) counts.set(server, (counts.get(server) ?? 0) + 1);
  return [...counts].map(([server, count]) => ({ server, count })).sort((a, b) => b.count - a.count || (a.server < b.server ? -1 : 1));
}
