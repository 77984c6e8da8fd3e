// Owns how a call is told in one line: people by organisation, durations, links; as plain text and as HTML.
import type { ServerName, Slug } from '../call/ids.ts';
import type { Phrases } from './i18n/phrases.ts';
import { escapeHtml } from './text.ts';

export interface Addresses {
  /** Where people's browsers reach the bridge, without a trailing slash. */
  readonly publicUrl: string;
  /** How an organisation is called, by server name; default: the first label of its name. */
  readonly organisations: ReadonlyMap<ServerName, string>;
}

export interface OrganisationPeople {
  readonly server: ServerName;
  readonly count: number;
}

export const shownOrganisations = 8;
const separator = ' · ';

export function pageUrl(addresses: Addresses, slug: Slug): string {
  return `${addresses.publicUrl}/c/${slug}`;
}

export function labelOf(addresses: Addresses, server: ServerName): string {
  const isAddress = server.startsWith('[') || /^[\d.]+(:\d+)?$/.test(server);
  return addresses.organisations.get(server) ?? (isAddress ? server : (/^[^.:]+/.exec(server)?.[0] ?? server));
}

/** "3 people · interieur 2, finances 1"; undefined: nobody. */
export function peopleText(people: readonly OrganisationPeople[], addresses: Addresses, phrases: Phrases): string | undefined {
  const total = people.reduce((sum, { count }) => sum + count, 0);
  return total === 0 ? undefined : [phrases.people(total), organisationsText(people, addresses, phrases)].join(separator);
}

/** "interieur 2, finances 1" */
export function organisationsText(people: readonly OrganisationPeople[], addresses: Addresses, phrases: Phrases): string {
  const shown = people.slice(0, shownOrganisations).map(({ server, count }) => `${labelOf(addresses, server)} ${count}`);
  const hidden = people.length - shown.length;
  return [...shown, ...(hidden > 0 ? [phrases.others(hidden)] : [])].join(', ');
}

export function durationText(durationMs: number, phrases: Phrases): string {
  const minutes = Math.round(durationMs / 60_000);
  return minutes < 1 ? phrases.underAMinute : phrases.duration(minutes);
}

/** Parts of a line, as text and as HTML. A link reads as its address, or as `plain`, where there is no HTML. */
export type Part = string | { readonly label: string; readonly url: string; readonly plain?: string };

export function plainLine(parts: readonly Part[]): string {
  return parts.map((part) => (typeof part === 'string' ? part : (part.plain ?? part.url))).join(separator);
}

export function htmlLine(parts: readonly Part[]): string {
  return parts.map((part) => (typeof part === 'string' ? escapeHtml(part) : `<a href="${escapeHtml(part.url)}">${escapeHtml(part.label)}</a>`)).join(separator);
}
