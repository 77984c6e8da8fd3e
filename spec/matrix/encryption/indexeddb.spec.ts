// Owns the proof that our IndexedDB answers as another implementation does, and that what is complete survives a kill.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IDBKeyRange as FakeKeyRange, indexedDB as fake } from 'fake-indexeddb';
import type { IDBDatabase } from '../../../src/matrix/encryption/indexeddb/database.ts';
import { openIndexedDB } from '../../../src/matrix/encryption/indexeddb/install.ts';
import { IDBKeyRange } from '../../../src/matrix/encryption/indexeddb/key-range.ts';
import { decodeKey, encodeKey } from '../../../src/matrix/encryption/indexeddb/keys.ts';
import { act, comparisonOf, ended, opened, plain, settled, type Side, type Step } from '../../support/indexeddb-sides.ts';
import { Dice } from '../../support/dice.ts';

const texts = ['', 'a', 'b', 'ab', 'é', '\0', '\uffff', '😀', '~', '\x7f', '@a:b'];
const seed = Number(process.env['VIADUC_SEED'] ?? 1);

describe(`IndexedDB over SQLite (seed ${seed})`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'viaduc-indexeddb-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const dice = new Dice(seed);
  const compare = comparisonOf(fake);

  const key = (): unknown =>
    dice.of<() => unknown>(
      () => dice.below(6) - 3,
      () => dice.below(1000) / 7,
      () => new Date(dice.below(5)),
      () => dice.of(...texts),
      () => new Uint8Array([dice.below(3), 255 * dice.below(2)]),
      () => [dice.below(2), dice.of('x', 'y', '')],
      () => [],
      () => [[dice.below(2)], 'z'],
    )();
  const value = (): Readonly<Record<string, unknown>> => ({
    id: key(),
    n: dice.of<unknown>(1, 2, 'x', null, true, undefined),
    deep: dice.chance(2) ? undefined : { s: `s${dice.below(3)}` },
    tags: [dice.below(3), dice.below(3), 't'],
    ...(dice.chance(3) ? {} : { u: dice.below(40) }),
    bytes: new Uint8Array([dice.below(9)]),
  });
  const step = (): Step => ({
    what: dice.chance(300) ? 'clear' : dice.of('put', 'put', 'put', 'add', 'delete', 'get', 'getAll', 'getAllKeys', 'count', 'cursor', 'getKey'),
    store: dice.of('plain', 'inline', 'auto'),
    index: dice.of(undefined, 0, 1),
    key: key(),
    value: value(),
    range: { kind: dice.of('none', 'only', 'bound', 'lower', 'upper'), from: key(), to: key(), lowerOpen: dice.chance(2), upperOpen: dice.chance(2) },
    limit: dice.below(3),
    direction: dice.of('next', 'prev'),
    updates: dice.chance(4),
    removes: dice.chance(4),
  });

  it('keeps the order of keys, and gives them back', () => {
    for (let round = 0; round < 10_000; round += 1) {
      const [a, b] = [key(), key()];
      assert.equal(Math.sign(Buffer.compare(encodeKey(a), encodeKey(b))), compare(a, b), `${plain(a)} ${plain(b)}`);
      assert.equal(compare(decodeKey(encodeKey(a)), a), 0, plain(a));
    }
    for (const none of [undefined, null, true, Number.NaN, {}, [undefined], new Date(Number.NaN)]) assert.throws(() => encodeKey(none), { name: 'DataError' });
  });

  it('answers random transactions as fake-indexeddb does', async () => {
    const ours = openIndexedDB(join(folder, 'random.sqlite'));
    const sides: Side[] = [await opened(ours.factory, IDBKeyRange), await opened(fake, FakeKeyRange)];
    let compared = 0;
    for (let round = 0; round < 300; round += 1) {
      const transactions = sides.map((side) => side.db.transaction(['plain', 'inline', 'auto'], 'readwrite'));
      const ends = transactions.map(ended);
      for (let left = dice.below(12); left >= 0; left -= 1) {
        const next = step();
        const [one, two] = await Promise.all(sides.map((side, place) => act(side, transactions[place]!, next)));
        assert.equal(plain(one), plain(two), `seed ${seed}, round ${round}: ${plain(next)}`);
        compared += 1;
      }
      if (dice.chance(5)) for (const transaction of transactions) transaction.abort();
      else if (dice.chance(2)) for (const transaction of transactions) transaction.commit();
      const [one, two] = await Promise.all(ends);
      assert.equal(one, two);
    }
    for (const name of ['plain', 'inline', 'auto']) {
      const [one, two] = await Promise.all(sides.map((side) => settled(side.db.transaction(name).objectStore(name).getAll())));
      assert.equal(plain(one), plain(two));
    }
    assert.ok(compared > 1500, String(compared));
    sides[0]?.db.close();
    ours.close();
  });

  it('lets writers take turns, shows readers whole transactions, undoes what is aborted', async () => {
    const ours = openIndexedDB(join(folder, 'turns.sqlite'));
    const request = ours.factory.open('base', 1);
    request.onupgradeneeded = () => db(request).createObjectStore('n');
    await settled(request);
    const base = db(request);
    const read = async (transaction = base.transaction('n')): Promise<unknown> => (await settled(transaction.objectStore('n').get('n'))).result ?? 0;
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const transaction = base.transaction('n', 'readwrite');
        const end = ended(transaction);
        transaction.objectStore('n').put(Number(await read(transaction)) + 1, 'n');
        assert.equal(await end, 'complete');
      }),
    );
    assert.equal(await read(), 50);

    const aborted = base.transaction('n', 'readwrite');
    const abortion = ended(aborted);
    await settled(aborted.objectStore('n').put(99, 'n'));
    aborted.abort();
    assert.equal(await abortion, 'abort');
    assert.equal(await read(), 50);

    const failing = base.transaction('n', 'readwrite');
    const failure = ended(failing);
    failing.objectStore('n').put(1, 'n');
    failing.objectStore('n').add(2, 'n');
    assert.equal(await failure, 'abort');
    assert.equal(failing.error?.name, 'ConstraintError');
    assert.equal(await read(), 50);

    assert.throws(() => base.transaction('n').objectStore('n').put(1, 'n'), { name: 'ReadOnlyError' });
    assert.throws(() => base.transaction('none'), { name: 'NotFoundError' });
    assert.throws(() => base.createObjectStore('late'), { name: 'InvalidStateError' });
    base.close();
    assert.throws(() => base.transaction('n'), { name: 'InvalidStateError' });
    ours.close();
  });

  it('has what was complete after kill -9, and nothing of what was not', () => {
    const file = join(folder, 'kill.sqlite');
    for (let round = 0; round < 3; round += 1) {
      const writer = run(file, `
        for (let i = ${round * 1000}; ; i++) {
          const t = db.transaction('s', 'readwrite');
          t.objectStore('s').put(i, i);
          await new Promise((done) => { t.oncomplete = done; });
          process.stdout.write(i + '\\n');
          if (i % 1000 === ${25 + round}) { db.transaction('s', 'readwrite').objectStore('s').put('half', 'half'); process.kill(process.pid, 'SIGKILL'); }
        }`);
      assert.equal(writer.signal, 'SIGKILL', writer.stderr);
      const last = Number(writer.stdout.trim().split('\n').at(-1));
      const reader = run(file, `const q = db.transaction('s').objectStore('s').getAllKeys(); await new Promise((done) => { q.onsuccess = done; }); console.log(JSON.stringify(q.result)); process.exit();`);
      const keys: unknown = JSON.parse(reader.stdout);
      assert.ok(Array.isArray(keys) && keys.includes(last) && !keys.includes('half'), reader.stdout);
    }
  });

  it('refuses a second process', () => {
    const file = join(folder, 'locked.sqlite');
    const held = openIndexedDB(file);
    const second = run(file, `console.log('opened'); process.exit();`);
    held.close();
    assert.match(second.stderr, /locked/);
    assert.equal(second.stdout, '');
  });
});

function db(request: ReturnType<ReturnType<typeof openIndexedDB>['factory']['open']>) {
  return request.result as IDBDatabase;
}

function run(file: string, body: string): { readonly signal: string | null; readonly stdout: string; readonly stderr: string } {
  const module = new URL('../../../src/matrix/encryption/indexeddb/install.ts', import.meta.url).href;
  const script = `
    import { installIndexedDB } from '${module}';
    installIndexedDB('${file}');
    const r = indexedDB.open('b', 1);
    r.onupgradeneeded = () => r.result.createObjectStore('s');
    await new Promise((done) => { r.onsuccess = done; });
    const db = r.result;
    ${body}`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
}
