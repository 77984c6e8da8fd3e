// Runs the scenarios of the whole product with real parts: once on one bridge, once on a bridge for each organisation.
import { z } from 'zod';
import { BridgeEnv } from '../support/bridge-env.ts';
import type { MatrixUser } from '../support/matrix-user.ts';
import { RtcPage, servePage, type PageServer } from '../support/rtc-client.ts';
import { calls } from './scenarios/calls.ts';
import { crossing } from './scenarios/crossing.ts';
import { faults } from './scenarios/faults.ts';
import { operation } from './scenarios/operation.ts';
import type { Scenario } from './scenarios/scenario.ts';

const scenarios: readonly Scenario[] = [...calls, ...crossing, ...faults, ...operation];
const ticketSchema = z.object({ url: z.string(), jwt: z.string() });

for (const bridges of [1, 2] as const) {
  describe(bridges === 1 ? 'bridge' : 'bridge for each organisation', function () {
    this.timeout(180_000);
    let env: BridgeEnv;
    let people: Record<'alice' | 'bob' | 'carol', MatrixUser>;
    let clients: PageServer;
    let ended: AsyncDisposableStack;

    before(async () => {
      env = await BridgeEnv.start({ bridges });
      const [alice, bob, carol] = await Promise.all([env.federation.user(0, 'alice'), env.federation.user(1, 'bob'), env.federation.user(1, 'carol')]);
      people = { alice, bob, carol };
      clients = await servePage('livekit-client');
    });
    after(async () => {
      await clients[Symbol.asyncDispose]();
      await env[Symbol.asyncDispose]();
    });
    beforeEach(() => {
      ended = new AsyncDisposableStack();
    });
    afterEach(() => ended.disposeAsync());

    for (const { name, play } of scenarios.filter((scenario) => (scenario.bridges ?? [1, 2]).includes(bridges))) {
      it(name, () =>
        play({
          env,
          ...people,
          join: async (user, room, slug) => {
            const page = await env.joinByCode(user, room, slug);
            ended.defer(() => page.close());
            return page;
          },
          connect: async (user, slug) => {
            const { body } = await env.post(`/api/calls/${slug}/join`, { openid_token: await user.openIdToken(), device_id: 'SDK' });
            const { url, jwt } = ticketSchema.parse(body);
            const page = await RtcPage.open(env.browser, clients.url);
            ended.defer(() => page.close());
            const client = page.client(user.deviceId);
            await client.run('connect', url, jwt);
            return client;
          },
        }),
      );
    }
  });
}
