// Owns the versions of the cascade's protocol: which we speak, and which two bridges speak with each other.

export const ourVersions: readonly string[] = ['1.0'];
export const subprotocol = 'viaduc.cascade.1';

const pattern = /^(?<major>0|[1-9]\d{0,4})\.(?<minor>0|[1-9]\d{0,4})$/;

export interface Version {
  readonly major: number;
  readonly minor: number;
}

/** undefined: not `major.minor`. */
export function parseVersion(text: string): Version | undefined {
  const { major, minor } = pattern.exec(text)?.groups ?? {};
  return major === undefined || minor === undefined ? undefined : { major: Number(major), minor: Number(minor) };
}

/** The highest major version that both have, with the smaller of their minor versions; undefined: they share none. */
export function agreeOn(ours: readonly string[], theirs: readonly string[]): string | undefined {
  const [mine, others] = [newestMinors(ours), newestMinors(theirs)];
  const shared = [...mine.keys()].filter((major) => others.has(major));
  if (shared.length === 0) return undefined;
  const major = Math.max(...shared);
  return `${major}.${Math.min(mine.get(major) ?? 0, others.get(major) ?? 0)}`;
}

function newestMinors(versions: readonly string[]): ReadonlyMap<number, number> {
  const newest = new Map<number, number>();
  for (const version of versions.flatMap((text) => parseVersion(text) ?? [])) newest.set(version.major, Math.max(version.minor, newest.get(version.major) ?? 0));
  return newest;
}
