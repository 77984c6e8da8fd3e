// Owns the order of the tiles in the grid: nobody moves without need, whoever speaks is on the first page. No DOM.
import type { Focusable } from './layout.ts';

const rank = ({ isLocal, isScreen }: Focusable): number => (isScreen ? 0 : isLocal ? 1 : 2);

/** Screens first, then oneself, then the others as they came. */
function newcomersLast<T extends Focusable>(previous: readonly string[], tiles: readonly T[]): T[] {
  const place = new Map(previous.map((key, index) => [key, index]));
  const placeOf = ({ key }: T): number => place.get(key) ?? previous.length;
  return tiles.toSorted((a, b) => Math.min(rank(a), 1) - Math.min(rank(b), 1) || placeOf(a) - placeOf(b) || rank(a) - rank(b));
}

/**
 * The order for the next picture of the grid.
 * @param previous keys in the order shown until now.
 * @param perPage tiles on the first page.
 * @param speaking identities of those who speak now: each takes the place of somebody silent when not on the first page.
 */
export function nextOrder<T extends Focusable>(previous: readonly string[], tiles: readonly T[], perPage: number, speaking: ReadonlySet<string>): readonly T[] {
  const order = newcomersLast(previous, tiles);
  const speaks = (tile: T): boolean => !tile.isScreen && speaking.has(tile.identity);
  for (let index = perPage; index < order.length; index++) {
    const speaker = order[index];
    if (speaker === undefined || !speaks(speaker)) continue;
    const silent = order.slice(0, perPage).findLastIndex((tile) => !tile.isLocal && !tile.isScreen && !speaks(tile));
    const replaced = order[silent];
    if (replaced === undefined) break; // Everybody on the first page speaks too.
    order[silent] = speaker;
    order[index] = replaced;
  }
  return order;
}
