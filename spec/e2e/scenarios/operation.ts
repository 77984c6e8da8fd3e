// Specifies what an operator has: figures, and a log without secrets.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join as path } from 'node:path';
import type { Scenario } from './scenario.ts';

export const operation: readonly Scenario[] = [
  {
    name: 'has its figures on the listener of the operator',
    play: async ({ env }) => {
      for (const { files } of env.bridges) {
        const metrics = await (await fetch(`${files.metricsUrl}/metrics`)).text();
        for (const name of ['viaduc_calls', 'viaduc_participants', 'viaduc_tracks', 'viaduc_joins_total', 'viaduc_join_seconds_bucket', 'viaduc_media_workers', 'viaduc_outbox_depth', 'viaduc_media_sent_bits_per_second', 'nodejs_eventloop_lag_seconds']) assert.match(metrics, new RegExp(`^${name}[ {]`, 'm'));
        const ready = await fetch(`${files.metricsUrl}/readyz`);
        assert.deepEqual(await ready.json(), { ready: true, reasons: [] });
        assert.equal((await fetch(`${files.publicUrl}/metrics`)).status, 404);
      }
    },
  },
  {
    name: 'has written no secret into its log, whole joins at level debug included',
    play: async ({ env, alice, bob, join }) => {
      const room = await env.room(alice, bob);
      const { slug } = await env.startCall(alice, room);
      const openIdToken = await bob.openIdToken();
      const joined = await env.post(`/api/calls/${slug}/join`, { openid_token: openIdToken, device_id: 'D' });
      const page = await join(alice, room, slug);
      const signIn = await page.page.evaluate(() => JSON.stringify(Object.entries(localStorage)));
      const logs = env.bridges.map(({ files }) => readFileSync(files.logFile, 'utf8'));
      assert(logs[0]?.includes('participant joined') === true && logs[0].includes(' debug '), 'the log is that of a whole join at debug level');
      const secrets = {
        openid: openIdToken.access_token,
        ticket: joined.body['jwt'],
        signIn: /eyJ[\w-]+\.[\w-]+\.[\w-]+/.exec(signIn)?.[0],
        ...Object.fromEntries(env.bridges.flatMap(({ bot, files }) => [
          [`as_token of ${bot}`, files.registration['as_token']],
          [`hs_token of ${bot}`, files.registration['hs_token']],
          [`signing key of ${bot}`, readFileSync(path(files.configFile, '../data/signing.key'), 'utf8').trim()],
        ])),
      };
      for (const log of logs) {
        for (const [name, secret] of Object.entries(secrets)) {
          assert(typeof secret === 'string' && secret.length > 10, `${name} was not found`);
          assert(!log.includes(secret), `${name} is in the log`);
        }
        assert(!/eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}/.test(log), 'some signed token is in the log');
      }
    },
  },
];
