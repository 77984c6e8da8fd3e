// Owns Voucher: our speaker's tokens, whose token another bridge shows, and where bridges are published to be.
import type { Voucher } from '../control/ports/voucher.ts';
import type { Clock } from '../control/ports/clock.ts';
import { Secret } from '../log/logger.ts';
import type { BotClient } from './bot-client.ts';
import type { BridgeDiscovery } from './bridge-discovery.ts';
import { HomeserverError } from './homeserver-error.ts';
import type { IdentityVerifier } from '../control/ports/identity-verifier.ts';

export interface VoucherOptions {
  /** Acts as the speaker. */
  readonly client: Pick<BotClient, 'user' | 'ensureUser' | 'joinedRooms' | 'openIdToken'>;
  readonly displayName: string;
  /** Takes tokens of every server. */
  readonly verifier: IdentityVerifier;
  readonly bridgeOf: BridgeDiscovery;
  readonly clock: Clock;
}

interface Kept {
  readonly token: Secret<string>;
  readonly untilMs: number;
}

export function createVoucher({ client, displayName, verifier, bridgeOf, clock }: VoucherOptions): Voucher {
  let kept: Kept | undefined;
  let asking: Promise<Kept> | undefined;

  const request = async (): Promise<Kept> => {
    try {
      await client.ensureUser(displayName);
      // Others will see the token: where its user is a member it would let them in.
      const rooms = await client.joinedRooms();
      if (rooms.length > 0) throw new Error(`${client.user} must be in no room, but is in ${rooms.slice(0, 3).join(', ')}: let it leave`);
      const { accessToken, expiresInMs } = await client.openIdToken();
      // Whoever is shown it must have time to verify it.
      return { token: new Secret(accessToken), untilMs: clock.nowMs() + expiresInMs / 2 };
    } catch (error) {
      throw error instanceof HomeserverError ? new Error(inWords(error, client.user), { cause: error }) : error;
    }
  };

  return {
    verify: (token) => verifier.verify(token),
    bridgeOf,
    token: async () => {
      if (kept !== undefined && kept.untilMs > clock.nowMs()) return kept.token;
      asking ??= request().finally(() => {
        asking = undefined;
      });
      kept = await asking;
      return kept.token;
    },
  };
}

/** For the operator: what is wrong and where to look. */
function inWords(error: HomeserverError, speaker: string): string {
  if (error.errcode === 'M_EXCLUSIVE') return `the registration does not hold ${speaker}: write it again with ./viaduc register --force and restart the homeserver`;
  if (error.status === 401) return 'the homeserver does not know the bridge: it must load the registration file that the bridge uses';
  return `the homeserver gives no token for ${speaker}: ${error.message}`;
}
