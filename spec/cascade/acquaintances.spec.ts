// Specifies how many neighbours that are not listed a bridge has, whom it parts from, and how long it waits where none was reached.
import assert from 'node:assert/strict';
import type { ServerName } from '../../src/call/ids.ts';
import { Acquaintances } from '../../src/cascade/acquaintances.ts';
import { declined, missing } from '../../src/cascade/invitation.ts';
import { cascadeLimits } from '../../src/cascade/limits.ts';
import { Neighbour } from '../../src/cascade/neighbour.ts';
import { silentLogger } from '../../src/log/logger.ts';
import { err } from '../../src/util/result.ts';
import { systemRandom } from '../../src/util/system.ts';
import { serverName } from '../support/builders.ts';
import { virtualClock } from '../support/clocks.ts';

const own = serverName('interieur.example.org');
const deaf = { linkUp: () => undefined, linkDown: () => undefined, received: () => undefined };
const servers = Array.from({ length: 60 }, (_, index) => serverName(`s${index}.example.org`));
const at = (index: number): ServerName => servers[index] ?? assert.fail('no such server');

describe('neighbours that are not listed', () => {
  const make = (open: () => ReturnType<typeof declined> = () => declined('not reached')) => {
    const clock = virtualClock();
    const [asked, missed]: [ServerName[], ServerName[]] = [[], []];
    const common = { own, clock, limits: cascadeLimits, log: silentLogger };
    const acquaintances = new Acquaintances({
      ...common,
      make: (server) => new Neighbour({ ...common, server, random: systemRandom, open: () => Promise.resolve(err('not asked for')) }, deaf),
      open: (server) => {
        asked.push(server);
        return Promise.resolve(open());
      },
      missed: (server) => void missed.push(server),
    });
    return { acquaintances, clock, asked, missed, known: () => acquaintances.all().map(([server]) => server) };
  };
  const over = () => new Promise((resolve) => setImmediate(resolve));

  it('are 50 at most: who shares no call makes room, the longest known first; who shares one stays', () => {
    const { acquaintances, known } = make();
    for (let index = 0; index < 50; index += 1) assert(acquaintances.admit(at(index)) !== undefined);
    acquaintances.want(new Set([at(0)]));
    assert(acquaintances.admit(at(50)) !== undefined);
    assert.deepEqual([known().length, known().includes(at(0)), known().includes(at(1))], [50, true, false]);
    acquaintances.want(new Set(servers));
    assert.equal(acquaintances.admit(at(51)), undefined);
    assert(acquaintances.admit(at(50)) !== undefined, 'one that is known');
  });

  it('are forgotten after a minute without a call, counted from the last one', () => {
    const { acquaintances, clock, known } = make();
    acquaintances.admit(at(0));
    acquaintances.want(new Set([at(0)]));
    clock.advance(600_000);
    assert.deepEqual(known(), [at(0)]);
    acquaintances.want(new Set());
    clock.advance(59_999);
    acquaintances.want(new Set());
    assert.deepEqual(known(), [at(0)]);
    clock.advance(1);
    assert.deepEqual(known(), []);
  });

  const waits = async (open: () => ReturnType<typeof declined>, minutes: readonly number[]): Promise<void> => {
    const { acquaintances, clock, asked, missed } = make(open);
    for (const [index, wait] of minutes.entries()) {
      acquaintances.seek([at(0)]);
      await over();
      assert.deepEqual([asked.length, missed.length], [index + 1, index + 1], `after ${index} waits`);
      clock.advance(wait * 60_000 - 1);
      acquaintances.seek([at(0)]);
      await over();
      assert.equal(asked.length, index + 1, `too early after ${index} waits`);
      clock.advance(1);
    }
  };
  it('are looked for again after a minute where one was not reached, then ever later, up to an hour', () => waits(() => declined('not reached'), [1, 2, 4, 8, 16, 32, 60, 60]));
  it('are looked for again after an hour where there is none', () => waits(() => missing('none'), [60, 60]));

  it('are neither made nor looked for once the bridge stops', async () => {
    const { acquaintances, asked } = make();
    await acquaintances.close();
    acquaintances.seek([at(0)]);
    assert.deepEqual([asked, acquaintances.admit(at(1))], [[], undefined]);
  });
});
