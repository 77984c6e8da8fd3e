// Specifies the token that a bridge proves itself with: of a user of its own, kept for half of its life, asked for once at a time.
import assert from 'node:assert/strict';
import type { RoomId } from '../../src/call/ids.ts';
import { speakerOf } from '../../src/control/ports/voucher.ts';
import { HomeserverError } from '../../src/matrix/homeserver-error.ts';
import { createVoucher } from '../../src/matrix/voucher.ts';
import { ok } from '../../src/util/result.ts';
import { serverName, theRoom, userId } from '../support/builders.ts';
import { virtualClock } from '../support/clocks.ts';

const server = serverName('interieur.example.org');

describe('the voucher', () => {
  const voucherOf = (fault?: HomeserverError, rooms: readonly RoomId[] = []) => {
    const asked: string[] = [];
    const clock = virtualClock();
    const client = {
      user: speakerOf('visio', server),
      ensureUser: (name: string) => {
        asked.push(`user ${name}`);
        return fault === undefined ? Promise.resolve() : Promise.reject(fault);
      },
      joinedRooms: () => Promise.resolve(rooms),
      openIdToken: () => {
        asked.push('token');
        return Promise.resolve({ accessToken: `token ${asked.length}`, expiresInMs: 3_600_000 });
      },
    };
    const voucher = createVoucher({ client, displayName: 'Visio (bridge)', verifier: { verify: () => Promise.resolve(ok(userId('@x:y.example'))) }, bridgeOf: () => Promise.resolve(ok(undefined)), clock });
    return { asked, clock, voucher };
  };

  it('speaks as a user who is not the bot', () => assert.equal(speakerOf('visio', server), '@visio_bridge:interieur.example.org'));

  it('makes the user, and asks for one token for all who need it, until half of its life is over', async () => {
    const { asked, clock, voucher } = voucherOf();
    const tokens = await Promise.all([voucher.token(), voucher.token()]);
    assert.deepEqual(asked, ['user Visio (bridge)', 'token']);
    assert.deepEqual([...new Set(tokens.map((token) => token.reveal()))], ['token 2']);
    clock.advance(1_799_999);
    assert.equal((await voucher.token()).reveal(), 'token 2');
    clock.advance(1);
    assert.equal((await voucher.token()).reveal(), 'token 4');
  });

  it('gives none while its user is in a room', async () => {
    const { asked, voucher } = voucherOf(undefined, [theRoom]);
    await assert.rejects(voucher.token(), /@visio_bridge:interieur\.example\.org must be in no room, but is in !room:interieur\.example\.org: let it leave/);
    assert(!asked.includes('token'));
  });

  for (const [details, words] of [
    [{ status: 400, errcode: 'M_EXCLUSIVE' }, /registration does not hold @visio_bridge:interieur\.example\.org.*\.\/viaduc register --force/],
    [{ status: 401, errcode: 'M_UNKNOWN_TOKEN' }, /must load the registration file/],
    [{}, /gives no token for @visio_bridge:interieur\.example\.org: no answer/],
  ] as const) {
    it(`says what to do when there is none (${'errcode' in details ? details.errcode : 'no answer'}), and tries again`, async () => {
      const { asked, voucher } = voucherOf(new HomeserverError('no answer', details));
      await assert.rejects(voucher.token(), words);
      await assert.rejects(voucher.token(), words);
      assert.equal(asked.length, 2);
    });
  }
});
