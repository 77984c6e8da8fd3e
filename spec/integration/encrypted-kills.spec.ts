// Owns the proof that a bridge killed at random points loses no key and no answer in an encrypted room. The drill does it a hundred times.
import assert from 'node:assert/strict';
import { Report } from '../../src/drill/report.ts';
import { runCryptoKills } from '../../src/drill/drills/crypto-kills.ts';
import { folderFor } from '../support/encrypted-bridge.ts';
import { specBasePort } from '../support/run.ts';

const kills = Number(process.env['VIADUC_KILLS'] ?? 12);

describe('encrypted rooms and kills', function () {
  this.timeout(240_000);

  it(`survives ${kills} kills of the bridge`, async () => {
    const lines: string[] = [];
    const report = new Report((line) => lines.push(line));
    const { value } = await runCryptoKills({ n: kills, basePort: specBasePort(), folder: await folderFor('kills'), report });
    assert.ok(report.allHeld, lines.join('\n'));
    assert.equal(value, 0);
  });
});
