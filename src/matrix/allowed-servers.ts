// Owns the list of servers whose people are welcome: names, and "*.suffix" for every name below one.
import type { ServerName } from '../call/ids.ts';

export type ServerTest = (server: ServerName) => boolean;

/** Our own server is always allowed. A suffix is meant for names with whatever port, never for addresses. */
export function allowedServers(own: ServerName, patterns: readonly string[]): ServerTest {
  const lower = patterns.map((pattern) => pattern.toLowerCase());
  const exact = new Set<string>(lower.filter((pattern) => !pattern.startsWith('*.')));
  const suffixes = lower.filter((pattern) => pattern.startsWith('*.')).map((pattern) => pattern.slice(1));
  return (server) => {
    if (server === own || exact.has(server)) return true;
    // Names are compared as they are written: a server that writes itself otherwise is another server.
    const host = server.replace(/:\d+$/, '');
    const isName = /[a-z]/.test(host) && !/[A-Z[]/.test(host);
    return isName && suffixes.some((suffix) => host.length > suffix.length && host.endsWith(suffix));
  };
}
