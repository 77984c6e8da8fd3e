// Owns which IP addresses may be asked: the public ones, and private networks that an operator lists.
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

/** IANA's special-purpose registries (RFC 6890), multicast and what else is not the public internet. */
const notPublicV4 = [
  ['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.0.0.0', 24], ['192.0.2.0', 24],
  ['192.88.99.0', 24], ['192.168.0.0', 16], ['198.18.0.0', 15], ['198.51.100.0', 24], ['203.0.113.0', 24], ['224.0.0.0', 4], ['240.0.0.0', 4],
] as const;
/** Within 2000::/3, the only public part of IPv6: Teredo, ORCHID, documentation, 6to4 (which holds IPv4 addresses). */
const notPublicV6 = [['2001::', 23], ['2001:db8::', 32], ['2002::', 16], ['3fff::', 20]] as const;

export interface AddressPolicy {
  /** May this address be connected to? Anything that is no plain IP address may not. */
  allows(address: string): boolean;
}

export interface ListedAddressPolicy extends AddressPolicy {
  /** Is this address in a network that the operator listed? */
  lists(address: string): boolean;
}

/** @param extra networks in CIDR notation, or single addresses, that are allowed although they are not public. @throws TypeError naming a bad one */
export function addressPolicy(extra: readonly string[]): ListedAddressPolicy {
  const blocked = new BlockList();
  for (const [net, prefix] of notPublicV4) blocked.addSubnet(net, prefix, 'ipv4');
  for (const [net, prefix] of notPublicV6) blocked.addSubnet(net, prefix, 'ipv6');
  const publicV6 = new BlockList();
  publicV6.addSubnet('2000::', 3, 'ipv6');
  const listed = new BlockList();
  for (const network of extra) addNetwork(listed, network);
  const lists = (address: string): boolean => (isIPv4(address) ? listed.check(address, 'ipv4') : isIPv6(address) && !address.includes('%') && listed.check(address, 'ipv6'));
  return {
    lists: (text) => lists(embeddedV4(text) ?? text),
    allows: (text) => {
      const address = embeddedV4(text) ?? text;
      if (isIPv4(address)) return lists(address) || !blocked.check(address, 'ipv4');
      // A zone (fe80::1%eth0) names an interface of this machine.
      if (!isIPv6(address) || address.includes('%')) return false;
      return lists(address) || (publicV6.check(address, 'ipv6') && !blocked.check(address, 'ipv6'));
    },
  };
}

function addNetwork(list: BlockList, network: string): void {
  const [address = '', prefixText, ...rest] = network.trim().split('/');
  const version = isIP(address);
  const longest = version === 4 ? 32 : 128;
  const prefix = prefixText === undefined ? longest : Number(prefixText);
  if (version === 0 || rest.length > 0 || prefixText === '' || !Number.isInteger(prefix) || prefix < 0 || prefix > longest || address.includes('%')) {
    throw new TypeError(`not a network: ${JSON.stringify(network)} (write it as 10.0.0.0/8 or fd00::/8)`);
  }
  list.addSubnet(address, prefix, version === 4 ? 'ipv4' : 'ipv6');
}

/** The IPv4 address inside ::ffff:0:0/96 and 64:ff9b::/96 (RFC 6052): it is where the packets go. */
function embeddedV4(text: string): string | undefined {
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const groups = groupsOf(text);
  const prefix = groups.slice(0, 6).map((group) => group.toString(16)).join(':');
  if (prefix !== '0:0:0:0:0:ffff' && prefix !== '64:ff9b:0:0:0:0') return undefined;
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** The eight 16-bit groups of a valid IPv6 address, whichever way it is written. */
function groupsOf(address: string): readonly number[] {
  const hex = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = hex.split('::');
  const parse = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  if (tail === undefined) return parse(head);
  const [before, after] = [parse(head), parse(tail)];
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
}
