// Owns what a neighbour invites us with, and why one is not given, in words for the operator.
import { z } from 'zod';
import type { ServerName } from '../call/ids.ts';
import { Secret, type Logger } from '../log/logger.ts';
import { err, ok, type Result } from '../util/result.ts';
import { agreeOn, ourVersions, parseVersion } from './version.ts';

export interface Invitation {
  readonly version: string;
  readonly url: URL;
  readonly key: Secret<string>;
}

export interface Declined {
  /** For the operator. */
  readonly detail: string;
  /** This means of introduction does not exist between the two; another may. */
  readonly isMissing: boolean;
}

export const versionText = z.string().max(16);
export const versionList = z.array(versionText).max(32);
export const nonceText = z.string().regex(/^[A-Za-z0-9_-]{22,64}$/);
export const keyText = z.string().regex(/^[A-Za-z0-9_-]{43}$/).transform((text) => new Secret(text));

const fault = z.object({ errcode: z.string().max(64).catch('no errcode') });
const versionFault = z.object({ versions: versionList });

export const declined = (detail: string): { readonly ok: false; readonly error: Declined } => err({ detail, isMissing: false });
export const missing = (detail: string): { readonly ok: false; readonly error: Declined } => err({ detail, isMissing: true });

/** The version to speak, of those that we have offered. */
export function chosenVersion(neighbour: ServerName, chosen: string): Result<string, Declined> {
  const agreed = agreeOn(ourVersions, [chosen]);
  return agreed === undefined ? declined(`the bridge of ${neighbour} has chosen a version that was not offered: ${JSON.stringify(chosen)}`) : ok(agreed);
}

/** Both lists are in the log and in the reason. */
export function noCommonVersion(neighbour: ServerName, content: unknown, log: Logger): { readonly ok: false; readonly error: Declined } {
  const theirs = wellFormed(versionFault.safeParse(content).data?.versions ?? []);
  log.warn('no common version with a neighbour', { server: neighbour, ours: ourVersions, theirs });
  return declined(`no common version of the cascade: ours ${ourVersions.join(', ')}, theirs ${theirs.join(', ')}: the older bridge must be updated`);
}

/** Those that may be printed. */
export function wellFormed(versions: readonly string[]): readonly string[] {
  return versions.filter((text) => parseVersion(text) !== undefined);
}

export function errcodeIn(content: unknown): string {
  return fault.safeParse(content).data?.errcode ?? 'no errcode';
}

/** What a refusal means that both means of introduction share, and what to do. */
export function refusalInWords(who: string, status: number, content: unknown): string {
  const errcode = errcodeIn(content);
  if (status === 429) return `${who} was asked too often (${errcode}): look in both logs for the reason why links do not stay`;
  if (status === 503) return `${who} starts or stops (status 503)`;
  if (status === 400 || status === 413) return `${who} does not understand the introduction (${errcode}): the older of the two bridges must be updated`;
  return `${who} answers with status ${status}, ${JSON.stringify(errcode)}`;
}

export function shapeInWords({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
}
