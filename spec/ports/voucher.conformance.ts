// Owns what every Voucher must do, whatever homeservers are behind it.
import assert from 'node:assert/strict';
import type { ServerName } from '../../src/call/ids.ts';
import { speakerOf, type Voucher } from '../../src/control/ports/voucher.ts';

export interface VoucherStage {
  readonly here: { readonly server: ServerName; readonly voucher: Voucher };
  readonly there: { readonly server: ServerName; readonly voucher: Voucher };
  /** A homeserver that does not answer, and publishes nothing. */
  readonly nowhere: ServerName;
}

export function voucherConformance(stage: () => VoucherStage): void {
  const seenThere = async (accessToken: string, matrixServerName: ServerName): Promise<string> => {
    const user = await stage().there.voucher.verify({ accessToken, matrixServerName });
    return user.ok ? user.value : user.error.code;
  };

  it('proves to others who speaks for the bridge, as often as it is shown', async () => {
    const { here } = stage();
    const token = (await here.voucher.token()).reveal();
    for (let time = 0; time < 2; time += 1) assert.equal(await seenThere(token, here.server), speakerOf('visio', here.server));
    assert.equal((await here.voucher.token()).reveal(), token, 'it is kept');
  });

  it('proves nothing in the name of another server, and an invented token nothing at all', async () => {
    const { here, there } = stage();
    assert.equal(await seenThere((await here.voucher.token()).reveal(), there.server), 'identityRejected');
    assert.equal(await seenThere('invented', here.server), 'identityRejected');
  });

  it('tells a homeserver that does not answer from one that refuses', async () => {
    const { nowhere } = stage();
    assert.equal(await seenThere('any', nowhere), 'homeserverUnavailable');
  });

  it('finds no bridge where none is published', async () => {
    const { here, nowhere } = stage();
    const found = await here.voucher.bridgeOf(nowhere, AbortSignal.timeout(4000));
    assert.equal(found.ok ? found.value : undefined, undefined);
  });
}
