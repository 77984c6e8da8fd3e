// Specifies what the check says of the address and the ports for media of neighbours.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { cascadeFindings, cascadePorts } from '../../src/cli/check/cascade.ts';
import { parseConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { specBasePort } from '../support/run.ts';

type Cascade = Partial<Record<'accept' | 'listenIp' | 'announcedAddress' | 'firstPort' | 'lastPort', string | number>>;

function configOf(cascade: Cascade, neighbours = 1): Config {
  const lines = ['homeserver:', '  serverName: interieur.example.org', '  url: http://127.0.0.1:8008', 'http:', '  publicUrl: https://visio.example.org', 'media:', '  workers: 2'];
  if (neighbours > 0) lines.push('neighbours:', ...Array.from({ length: neighbours }, (_, n) => `  - serverName: n${n}.example.org`));
  if (Object.keys(cascade).length > 0) lines.push('cascade:', ...Object.entries(cascade).map(([key, value]) => `  ${key}: ${typeof value === 'string' ? JSON.stringify(value) : value}`));
  return parseConfig(lines.join('\n'), 'bridge.yaml');
}

describe('the check of the cascade', () => {
  const reachable = { announcedAddress: '198.41.0.4' };
  const rows: readonly (readonly [string, Cascade, number, readonly [string, RegExp][]])[] = [
    ['nothing without neighbours', { lastPort: 1 }, 0, []],
    ['an address and ports that will do', reachable, 2, [['ok', /comes to 198\.41\.0\.4$/], ['ok', /^100 ports for 2 neighbours: 50 calls at once/]]],
    ['the same where any server may be a neighbour', { ...reachable, accept: 'anyFederated' }, 0, [['ok', /./], ['ok', /^100 ports for 1 neighbour: 100 calls/]]],
    ['an address that nobody reaches', {}, 1, [['failure', /send media to 0\.0\.0\.0$/], ['ok', /./]]],
    ['a name instead of an address', { announcedAddress: 'visio.example.org' }, 1, [['failure', /visio\.example\.org, which is no IP address$/], ['ok', /./]]],
    ['a private address', { announcedAddress: '10.0.0.7' }, 1, [['warning', /10\.0\.0\.7: a private address$/], ['ok', /./]]],
    ['two families of addresses', { ...reachable, listenIp: '::' }, 1, [['failure', /awaited at ::, but sent to 198\.41\.0\.4$/], ['ok', /./]]],
    ['few ports', { ...reachable, firstPort: 9400, lastPort: 9408 }, 1, [['ok', /./], ['warning', /^9 ports for 1 neighbour: 9 calls at once/]]],
    ['fewer ports than neighbours', { ...reachable, firstPort: 9400, lastPort: 9400 }, 2, [['ok', /./], ['failure', /^1 port for 2 neighbours: 0 calls/]]],
    ['a range that is none', { ...reachable, firstPort: 9400, lastPort: 9399 }, 1, [['ok', /./], ['failure', /comes before/]]],
    ['a range that media has', { ...reachable, firstPort: 9351, lastPort: 9450 }, 1, [['ok', /./], ['failure', /\(9351 to 9450\) and of media \(9350 to 9351\) overlap/]]],
  ];
  for (const [what, cascade, neighbours, expected] of rows) {
    it(`finds ${what}`, () => {
      const findings = cascadeFindings(configOf(cascade, neighbours));
      assert.deepEqual(findings.map(({ level }) => level), expected.map(([level]) => level));
      for (const [index, [level, text]] of expected.entries()) {
        assert.match(findings[index]?.what ?? '', text);
        assert.equal(findings[index]?.advice === '', level === 'ok');
      }
    });
  }

  it('finds which ports are taken', async () => {
    const firstPort = specBasePort() + 80;
    const config = configOf({ listenIp: '127.0.0.1', firstPort, lastPort: firstPort + 1 });
    const levels = async (): Promise<readonly string[]> => (await cascadePorts(config)).map(({ level }) => level);
    assert.deepEqual(await levels(), ['ok']);
    const sockets = [createSocket('udp4'), createSocket('udp4')] as const;
    try {
      sockets[0].bind(firstPort, '127.0.0.1');
      await once(sockets[0], 'listening');
      const [finding] = await cascadePorts(config);
      assert.deepEqual([finding?.level, finding?.what.startsWith(`1 of 2 ports from ${firstPort} to ${firstPort + 1}/udp on 127.0.0.1 cannot be opened (cascade): ${firstPort} (`)], ['warning', true]);
      sockets[1].bind(firstPort + 1, '127.0.0.1');
      await once(sockets[1], 'listening');
      assert.deepEqual(await levels(), ['failure']);
    } finally {
      for (const socket of sockets) socket.close();
    }
    assert.deepEqual(await cascadePorts(configOf({ listenIp: '127.0.0.1' }, 0)), []);
    assert.deepEqual((await cascadePorts(configOf({ listenIp: '192.0.2.1', firstPort, lastPort: firstPort }))).map(({ level }) => level), ['failure']);
  });
});
