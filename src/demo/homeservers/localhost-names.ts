// Owns names under .localhost for Node: RFC 6761, 6.3 puts them on the loopback address, the C library alone does not.
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';

let done = false;

/** From now on this process finds *.localhost at 127.0.0.1, in net, tls, http, fetch and ws alike (all ask dns.lookup). Idempotent. */
export function resolveLocalhostNames(): void {
  if (done) return;
  done = true;
  const local = (name: string): string => (/\.localhost\.?$/.test(name) ? '127.0.0.1' : name);
  const { lookup } = dns;
  const { lookup: promised } = dns.promises;
  Object.assign(dns, { lookup: (name: string, ...rest: unknown[]): unknown => Reflect.apply(lookup, dns, [local(name), ...rest]) });
  Object.assign(dns.promises, { lookup: (name: string, ...rest: unknown[]): unknown => Reflect.apply(promised, dns.promises, [local(name), ...rest]) });
  syncBuiltinESMExports();
}
