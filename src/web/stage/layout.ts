// Owns the geometry of the stage: how many columns, how large, where the strip goes. No DOM.

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Grid {
  readonly columns: number;
  /** Tiles on one page; with more people there are more pages, and room is kept for turning them. */
  readonly perPage: number;
  readonly tile: Size;
}

export const gapPx = 8;
export const pagerHeightPx = 40;
const widest = 16 / 9;
const smallestTileWidthPx = 150;
const smallCellPx = 400;

/** The largest tile in a cell whose shape stays between 5:4 (a square in a small cell) and 16:9: filled, cropped a little, never letterboxed. */
function tileIn(cell: Size): Size {
  const narrowest = cell.width < smallCellPx ? 1 : 5 / 4;
  if (cell.width / cell.height > widest) return { width: cell.height * widest, height: cell.height };
  if (cell.width / cell.height < narrowest) return { width: cell.width, height: cell.width / narrowest };
  return cell;
}

function gridWith(columns: number, rows: number, stage: Size): Size {
  return tileIn({
    width: Math.max(0, stage.width - gapPx * (columns - 1)) / columns,
    height: Math.max(0, stage.height - gapPx * (rows - 1)) / rows,
  });
}

const area = ({ width, height }: Size): number => width * height;

/** How many tiles of at least the smallest size fit. */
function capacity(stage: Size): number {
  const columns = Math.max(1, Math.floor((stage.width + gapPx) / (smallestTileWidthPx + gapPx)));
  const rows = Math.max(1, Math.floor((stage.height + gapPx) / (smallestTileWidthPx / widest + gapPx)));
  return columns * rows;
}

/**
 * The grid that shows everyone as large as possible.
 * @param count people to show, at least 1.
 * @param whole the stage in pixels, without its padding.
 */
export function chooseGrid(count: number, whole: Size): Grid {
  const stage = capacity(whole) < count ? { width: whole.width, height: whole.height - pagerHeightPx } : whole;
  const perPage = Math.min(Math.max(1, count), capacity(stage));
  let best: Grid = { columns: 1, perPage, tile: gridWith(1, perPage, stage) };
  for (let columns = 2; columns <= perPage; columns++) {
    const tile = gridWith(columns, Math.ceil(perPage / columns), stage);
    // A gain under 2 % is not worth an emptier last row.
    if (area(tile) > area(best.tile) * 1.02) best = { columns, perPage, tile };
  }
  return { ...best, tile: { width: Math.floor(best.tile.width), height: Math.floor(best.tile.height) } };
}

export interface Strip {
  readonly side: 'right' | 'bottom';
  /** Of each tile in the strip. */
  readonly tile: Size;
}

/** Where those go who are not on the large place, and how large. */
export function chooseStrip(stage: Size): Strip {
  if (stage.width >= 720 && stage.width / stage.height > 1.2) {
    const width = Math.round(Math.min(240, Math.max(160, stage.width * 0.18)));
    return { side: 'right', tile: { width, height: Math.round(width / widest) } };
  }
  const height = Math.round(Math.min(120, Math.max(64, stage.height * 0.22)));
  return { side: 'bottom', tile: { width: Math.round(height * widest), height } };
}

export type View = 'grid' | 'focus';

/** A shared screen, or somebody enlarged, takes the large place unless the person said otherwise since. */
export function effectiveView(chosen: View | undefined, hasSomethingToFocus: boolean): View {
  return chosen ?? (hasSomethingToFocus ? 'focus' : 'grid');
}

export interface Focusable {
  readonly key: string;
  readonly identity: string;
  readonly isScreen: boolean;
  readonly isLocal: boolean;
}

/**
 * Who gets the large place: the enlarged one, else a screen (the newest, others' before one's own), else who spoke last, else anybody else.
 * @param tiles in the order of the call.
 */
export function chooseFocus<T extends Focusable>(tiles: readonly T[], enlarged: string | undefined, lastSpeaker: string | undefined): T | undefined {
  const remoteScreens = tiles.filter((tile) => tile.isScreen && !tile.isLocal);
  return tiles.find((tile) => tile.key === enlarged)
    ?? remoteScreens[remoteScreens.length - 1]
    ?? tiles.find((tile) => tile.isScreen)
    ?? tiles.find((tile) => tile.identity === lastSpeaker && !tile.isLocal)
    ?? tiles.find((tile) => !tile.isLocal)
    ?? tiles[0];
}
