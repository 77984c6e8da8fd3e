// Owns the proof that only public addresses, and networks that an operator lists, may be asked.
import assert from 'node:assert/strict';
import { addressPolicy } from '../../src/util/addresses.ts';

const forbidden = [
  // This machine and "this network".
  '127.0.0.1', '127.255.255.254', '0.0.0.0', '0.1.2.3', '::1', '::', '0:0:0:0:0:0:0:1',
  // Private, shared, link-local and metadata services.
  '10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1', '192.168.255.255', '100.64.0.1', '100.127.255.255', '169.254.0.1', '169.254.169.254',
  'fc00::1', 'fd00::1', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'fd00:ec2::254', 'fe80::1', 'febf::1', 'fec0::1', 'fe80::1%eth0', 'fe80::1%1',
  // Special purposes, documentation, benchmarks, multicast, broadcast, the future.
  '192.0.0.1', '192.0.0.170', '192.0.2.1', '192.88.99.1', '198.18.0.1', '198.19.255.255', '198.51.100.7', '203.0.113.9', '224.0.0.1', '239.255.255.250', '240.0.0.1', '255.255.255.255',
  'ff02::1', 'ff0e::1', '100::1', '2001:db8::1', '2001:10::1', '2001:20::1', '3fff::1', '5f00::1', '4000::1', '1::1',
  // IPv4 in the clothes of IPv6: mapped, compatible, translated, 6to4, Teredo.
  '::ffff:127.0.0.1', '::ffff:7f00:1', '0:0:0:0:0:ffff:7f00:0001', '::FFFF:10.0.0.1', '::ffff:169.254.169.254', '::ffff:0.0.0.0', '::127.0.0.1', '::10.0.0.1', '::ffff:0:127.0.0.1',
  '64:ff9b::127.0.0.1', '64:ff9b::a9fe:a9fe', '64:ff9b::10.0.0.1', '64:ff9b:1::1', '2002:7f00:1::', '2002:a9fe:a9fe::1', '2001:0:4136:e378:8000:63bf:3fff:fdd2',
  // No addresses at all.
  '', 'localhost', '127.1', '2130706433', '0x7f000001', '0177.0.0.1', '127.0.0.1.', ' 127.0.0.1', '[::1]', 'example.org', '8.8.8.8:443', '8.8.8.8%eth0', '256.1.1.1',
];
const allowed = ['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '172.15.255.255', '172.32.0.0', '100.63.255.255', '100.128.0.0', '192.167.255.255', '193.0.0.1', '223.255.255.255', '2606:4700::1111', '2a01:e0a::1', '2001:660::1', '2001:4860:4860::8888', '::ffff:8.8.8.8', '64:ff9b::8.8.8.8'];

describe('addresses', () => {
  const policy = addressPolicy([]);
  for (const address of forbidden) it(`never: ${JSON.stringify(address)}`, () => assert.equal(policy.allows(address), false));
  for (const address of allowed) it(`yes: ${address}`, () => assert.equal(policy.allows(address), true));

  it('are allowed in listed networks, however they are written, and not beside them', () => {
    const listed = addressPolicy(['10.1.0.0/16', ' 192.168.7.7 ', 'fd12:3456::/32', '::1']);
    const verdicts = ['10.1.0.1', '::ffff:10.1.2.3', '192.168.7.7', 'fd12:3456::9', '::1', '10.2.0.1', '192.168.7.8', 'fd12:3457::9', '127.0.0.1', '::ffff:10.2.0.1'].map((address) => listed.allows(address));
    assert.deepEqual(verdicts, [true, true, true, true, true, false, false, false, false, false]);
  });

  it('are listed only where the operator says so: a public address is not', () => {
    const listed = addressPolicy(['127.0.0.0/8', 'fd12::/16']);
    const verdicts = ['127.0.0.1', '::ffff:127.0.0.1', 'fd12::1', '8.8.8.8', '::1', '2606:4700::1111', 'fd12::1%eth0', 'localhost', ''].map((address) => listed.lists(address));
    assert.deepEqual(verdicts, [true, true, true, false, false, false, false, false, false]);
  });

  for (const network of ['10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/8/8', '10.0.0.0/', '10.0.0.0/x', 'private', '', 'fd00::/129', '10.0.0', 'fe80::1%eth0']) {
    it(`refuse the list entry ${JSON.stringify(network)} in words`, () => assert.throws(() => addressPolicy([network]), { name: 'TypeError', message: /not a network/ }));
  }
});
