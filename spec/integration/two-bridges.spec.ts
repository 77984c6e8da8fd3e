// Specifies that a bridge is a value: two organisations' bridges live in one process, and one ends without the other.
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { createBridge } from '../../src/bridge.ts';
import { loadConfig } from '../../src/config/load.ts';
import { silentLogger } from '../../src/log/logger.ts';
import { bridgeFiles, noticeOf, specSettings } from '../support/bridge-env.ts';
import { eventually } from '../support/eventually.ts';
import { startFederation } from '../support/homeservers.ts';
import { specRun } from '../support/run.ts';
import { workerBinary } from '../support/worker-binary.ts';

describe('two bridges in one process', function () {
  this.timeout(90_000);

  it('answer each in its own rooms, and end one after the other', async () => {
    const { folder } = await specRun();
    const settings = { ...specSettings, 'media.workers': 1, 'media.workerBinary': workerBinary() };
    const files = [await bridgeFiles(mkdtempSync(join(folder, 'first-')), 0, settings), await bridgeFiles(mkdtempSync(join(folder, 'second-')), 1, settings)] as const;
    await using federation = await startFederation({ size: 2, settings: (index) => ({ registrations: [files[index === 0 ? 0 : 1].registration] }) });
    const bridges = await Promise.all(files.map(({ configFile }) => createBridge(loadConfig(configFile), silentLogger)));
    try {
      for (const [index, localpart] of ['alice', 'bob'].entries()) {
        const person = await federation.user(index, localpart);
        const bot = `@visio:${federation.server(index).serverName}`;
        const room = await person.createRoom({ power_level_content_override: { users: { [bot]: 50 } } });
        const joined = person.next('the bot', (event) => event.roomId === room && event.stateKey === bot && event.content['membership'] === 'join');
        await person.invite(room, bot);
        await joined;
        const notice = person.next('the notice', (event) => event.roomId === room && event.sender === bot && noticeOf(event) !== undefined);
        await person.say(room, '!visio');
        assert.equal(noticeOf(await notice)?.state, 'open');
      }
      await bridges[0]?.close();
      await assert.rejects(fetch(files[0].metricsUrl));
      await eventually(async () => ((await fetch(`${files[1].metricsUrl}/readyz`)).ok ? undefined : 'the second bridge is not ready'));
    } finally {
      await Promise.all(bridges.map((bridge) => bridge.close()));
    }
    await assert.rejects(fetch(files[1].metricsUrl));
  });
});
