// Owns what every IdentityVerifier must do, whatever is behind it.
import assert from 'node:assert/strict';
import type { UserId } from '../../src/call/ids.ts';
import type { IdentityVerifier, OpenIdToken } from '../../src/control/ports/identity-verifier.ts';

export interface IdentityVerifierStage {
  readonly verifier: IdentityVerifier;
  /** Valid tokens of people of different homeservers. */
  readonly tokens: () => Promise<readonly { readonly token: OpenIdToken; readonly user: UserId }[]>;
}

export function identityVerifierConformance(stage: () => IdentityVerifierStage): void {
  it('knows the owner of a token, again and again', async () => {
    const { verifier, tokens } = stage();
    for (const { token, user } of await tokens()) {
      assert.deepEqual(await verifier.verify(token), { ok: true, value: user });
      assert.deepEqual(await verifier.verify(token), { ok: true, value: user });
    }
  });

  it('refuses an invented token, with a detail that does not hold it', async () => {
    const { verifier, tokens } = stage();
    const [first] = await tokens();
    assert.ok(first !== undefined);
    const refused = await verifier.verify({ ...first.token, accessToken: 'invented-token' });
    assert.ok(!refused.ok);
    assert.equal(refused.error.code, 'identityRejected');
    assert.doesNotMatch(refused.error.detail, /invented-token/);
  });
}
