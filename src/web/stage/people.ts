// Owns how a participant of the call is named and shown: name, organisation, initials, colour. No DOM, no LiveKit.

export interface ParticipantFacts {
  /** "@user:server:DEVICE". */
  readonly identity: string;
  readonly name?: string | undefined;
  /** `user_id` and `organisation` come from the bridge. */
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Person {
  readonly userId: string;
  readonly name: string;
  readonly organisation: string;
}

/** "@bob:finances.localhost:19450:PAGE_1" → "@bob:finances.localhost:19450": a server name may hold a port, so the device is what follows the last colon. */
export function userIdOf(identity: string): string {
  const lastColon = identity.lastIndexOf(':');
  return lastColon > identity.indexOf(':') ? identity.slice(0, lastColon) : identity;
}

const localpartOf = (userId: string): string => userId.replace(/^@/, '').split(':')[0] ?? userId;

/** The first label of the server's name: "finances.localhost:19450" → "finances"; an address stays whole. */
function labelOf(userId: string): string {
  const host = userId.split(':').slice(1).join(':').replace(/:\d+$/, '');
  return /^[\d.]+$|^\[/.test(host) ? host : host.split('.')[0] ?? host;
}

export function personOf({ identity, name, attributes }: ParticipantFacts): Person {
  const userId = attributes['user_id'] ?? userIdOf(identity);
  return {
    userId,
    name: name !== undefined && name.trim() !== '' ? name.trim() : localpartOf(userId),
    organisation: attributes['organisation'] ?? labelOf(userId),
  };
}

/** "Bob · finances", or the bare name when the organisation is not known. */
export function labelFor({ name, organisation }: Person): string {
  return organisation === '' ? name : `${name} · ${organisation}`;
}

/** Up to two letters: first and last word. */
export function initialsOf(name: string): string {
  const words = name.split(/[\s._-]+/).filter((word) => /\p{L}|\p{N}/u.test(word));
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0]];
  const initials = letters.map((word) => Array.from(word ?? '')[0] ?? '').join('').toLocaleUpperCase();
  return initials === '' ? '?' : initials;
}

/** Number of colours of the avatars (styles/stage.css). */
export const avatarColours = 8;

/** The same colour for a person everywhere: 0 … avatarColours − 1. */
export function colourOf(userId: string): number {
  let hash = 0;
  for (const character of userId) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return hash % avatarColours;
}

/** People by organisation, both in alphabetical order; those one knows nothing of come last. */
export function byOrganisation<T extends { readonly person: Person }>(people: readonly T[]): { readonly organisation: string; readonly people: readonly T[] }[] {
  const groups = Map.groupBy(people, ({ person }) => person.organisation);
  return [...groups]
    .map(([organisation, members]) => ({ organisation, people: members.toSorted((a, b) => a.person.name.localeCompare(b.person.name)) }))
    .toSorted((a, b) => Number(a.organisation === '') - Number(b.organisation === '') || a.organisation.localeCompare(b.organisation));
}
