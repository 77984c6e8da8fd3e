// Owns what a scenario of the whole product is: a story that is played on one bridge and on two.
import type { BridgeEnv, CallPage } from '../../support/bridge-env.ts';
import { noticesIn } from '../../support/bridge-env.ts';
import type { MatrixUser } from '../../support/matrix-user.ts';
import type { RtcClient } from '../../support/rtc-client.ts';

export interface Stage {
  readonly env: BridgeEnv;
  /** Of the first organisation, whose bridge starts the calls. */
  readonly alice: MatrixUser;
  /** Of the second organisation, as carol: on the first one's bridge if their own has none. */
  readonly bob: MatrixUser;
  readonly carol: MatrixUser;
  /** The call page in a browser of its own, in the call; closed at the end of the scenario. */
  readonly join: (user: MatrixUser, room: string, slug: string) => Promise<CallPage>;
  /** An unmodified client in the call, with a ticket of the first bridge's door; gone at the end of the scenario. */
  readonly connect: (user: MatrixUser, slug: string) => Promise<RtcClient>;
}

export interface Scenario {
  readonly name: string;
  /** On how many bridges it makes sense; default: one and two. */
  readonly bridges?: readonly (1 | 2)[];
  readonly play: (stage: Stage) => Promise<void>;
}

export const widgetType = 'im.vector.modular.widgets';

/** Whether the last notice that this person has seen counts so many people. */
export function peopleShown(user: MatrixUser, room: string, count: number): () => string | undefined {
  return () => {
    const last = noticesIn(user, room).at(-1);
    const shown = (last?.people ?? []).reduce((sum, each) => sum + each.count, 0);
    return shown === count ? undefined : `the notice shows ${shown} people instead of ${count}: ${last?.body ?? 'none'}`;
  };
}

export function tilesShown(page: CallPage, count: number): () => Promise<string | undefined> {
  return async () => {
    const tiles = await page.tiles();
    return tiles === count ? undefined : `${tiles} tiles instead of ${count}`;
  };
}
