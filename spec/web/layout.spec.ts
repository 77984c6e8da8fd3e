// Owns the checks of the stage's geometry and order.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { chooseFocus, chooseGrid, chooseStrip, effectiveView, type Focusable, gapPx } from '../../src/web/stage/layout.ts';
import { nextOrder } from '../../src/web/stage/order.ts';

const size = fc.record({ width: fc.integer({ min: 160, max: 2600 }), height: fc.integer({ min: 120, max: 1600 }) });
const person = (name: string, more: Partial<Focusable> = {}): Focusable => ({ key: `${name}/camera`, identity: name, isScreen: false, isLocal: false, ...more });
const screen = (name: string, more: Partial<Focusable> = {}): Focusable => ({ ...person(name, more), key: `${name}/screen_share`, isScreen: true });

describe('web: the grid', () => {
  it('shows one person on the whole stage and two side by side', () => {
    assert.deepEqual(chooseGrid(1, { width: 1600, height: 900 }), { columns: 1, perPage: 1, tile: { width: 1600, height: 900 } });
    assert.equal(chooseGrid(2, { width: 1176, height: 690 }).columns, 2);
    assert.equal(chooseGrid(2, { width: 360, height: 700 }).columns, 1);
  });

  it('keeps five people at 3 + 2 on a wide stage', () => {
    assert.equal(chooseGrid(5, { width: 1176, height: 690 }).columns, 3);
  });

  it('shows ten people of a small widget on two pages rather than too small', () => {
    const { perPage, tile } = chooseGrid(10, { width: 584, height: 330 });
    assert.ok(perPage >= 6 && perPage < 10, `${perPage} on a page`);
    assert.ok(tile.width >= 140, `${tile.width} wide`);
  });

  it('fits thirteen people on a stage as low as two lines of text', () => {
    const { columns, tile } = chooseGrid(13, { width: 1888, height: 120 });
    assert.ok(tile.height <= 80 && columns > 1, `${tile.width} × ${tile.height}`);
  });

  it('always fits, never overlaps, and keeps pictures between square and 16:9', () => {
    const fits = fc.property(fc.integer({ min: 1, max: 60 }), size, (count, stage) => {
      const { columns, perPage, tile } = chooseGrid(count, stage);
      const rows = Math.ceil(perPage / columns);
      assert.ok(perPage >= 1 && perPage <= count);
      assert.ok(columns * tile.width + (columns - 1) * gapPx <= stage.width);
      assert.ok(rows * tile.height + (rows - 1) * gapPx <= stage.height);
      assert.ok(tile.width / tile.height <= 16 / 9 + 0.05 && tile.width / tile.height >= 0.95, `${tile.width} × ${tile.height}`);
    });
    fc.assert(fits);
  });
});

describe('web: the large place', () => {
  it('has its strip at the right of a wide stage and below a narrow one', () => {
    assert.equal(chooseStrip({ width: 1176, height: 690 }).side, 'right');
    assert.equal(chooseStrip({ width: 584, height: 330 }).side, 'bottom');
    assert.equal(chooseStrip({ width: 900, height: 1200 }).side, 'bottom');
  });

  it('is taken when something is to be seen, unless the person said otherwise', () => {
    assert.equal(effectiveView(undefined, true), 'focus');
    assert.equal(effectiveView(undefined, false), 'grid');
    assert.equal(effectiveView('grid', true), 'grid');
    assert.equal(effectiveView('focus', false), 'focus');
  });

  it('goes to the enlarged one, then another\'s screen, one\'s own, the last speaker, another, oneself', () => {
    const me = person('me', { isLocal: true });
    const [ann, bob] = [person('ann'), person('bob')];
    const mine = screen('me', { isLocal: true });
    const theirs = screen('bob');
    assert.equal(chooseFocus([me, ann, bob, mine, theirs], ann.key, 'bob'), ann);
    assert.equal(chooseFocus([me, ann, bob, mine, theirs], undefined, 'ann'), theirs);
    assert.equal(chooseFocus([me, ann, bob, mine], 'gone/camera', 'ann'), mine);
    assert.equal(chooseFocus([me, ann, bob], undefined, 'bob'), bob);
    assert.equal(chooseFocus([me, ann, bob], undefined, 'me'), ann);
    assert.equal(chooseFocus([me], undefined, undefined), me);
    assert.equal(chooseFocus<Focusable>([], undefined, undefined), undefined);
  });
});

describe('web: the order of the grid', () => {
  const names = (tiles: readonly Focusable[]): string[] => tiles.map(({ key }) => key.replace('/camera', ''));
  const me = person('me', { isLocal: true });
  const [a, b, c, d] = [person('a'), person('b'), person('c'), person('d')];

  it('begins with oneself and puts newcomers last', () => {
    assert.deepEqual(names(nextOrder([], [a, b, me], 9, new Set())), ['me', 'a', 'b']);
    assert.deepEqual(names(nextOrder(['me/camera', 'b/camera', 'a/camera'], [me, c, a, b], 9, new Set())), ['me', 'b', 'a', 'c']);
  });

  it('puts screens first', () => {
    assert.deepEqual(names(nextOrder(['me/camera', 'a/camera'], [me, a, screen('a')], 9, new Set())), ['a/screen_share', 'me', 'a']);
  });

  it('brings a speaker to the first page in the place of somebody silent, and moves nobody else', () => {
    const before = ['me/camera', 'a/camera', 'b/camera', 'c/camera', 'd/camera'];
    assert.deepEqual(names(nextOrder(before, [me, a, b, c, d], 3, new Set(['d', 'b']))), ['me', 'd', 'b', 'c', 'a']);
    assert.deepEqual(names(nextOrder(before, [me, a, b, c, d], 3, new Set(['a', 'b']))), ['me', 'a', 'b', 'c', 'd']);
    assert.deepEqual(names(nextOrder(before, [me, a, b, c, d], 3, new Set(['a', 'b', 'd']))), ['me', 'a', 'b', 'c', 'd']);
  });

  it('never loses or doubles a tile', () => {
    const identities = fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { minLength: 1 });
    const keepsAll = fc.property(identities, identities, identities, fc.integer({ min: 1, max: 12 }), (before, now, speaking, perPage) => {
      const tiles = now.map((id) => person(`p${id}`, { isLocal: id === 0 }));
      const order = nextOrder(before.map((id) => `p${id}/camera`), tiles, perPage, new Set(speaking.map((id) => `p${id}`)));
      assert.deepEqual(order.map(({ key }) => key).toSorted(), tiles.map(({ key }) => key).toSorted());
    });
    fc.assert(keepsAll);
  });
});
