// Owns the view in which all have the same size, page by page when they are many.
import type { ReactNode } from 'react';
import { usePagination } from '@livekit/components-react';
import { useTranslate } from '../services.ts';
import { Icon } from '../ui/icon.tsx';
import { chooseGrid, gapPx, type Size } from './layout.ts';
import { Tile } from './tile.tsx';
import { type StageTile, tileOf } from './tiles.ts';

interface GridViewProps {
  readonly tiles: readonly StageTile[];
  readonly size: Size;
  readonly enlarged: string | undefined;
  readonly onEnlarge: (key: string | undefined) => void;
}

export function GridView({ tiles, size, enlarged, onEnlarge }: GridViewProps): ReactNode {
  const t = useTranslate();
  const grid = chooseGrid(tiles.length, size);
  const page = usePagination(grid.perPage, tiles.map(({ trackRef }) => trackRef));
  const rowWidth = grid.columns * (grid.tile.width + gapPx);
  return (
    <div className="grid" data-testid="grid">
      <div className="grid-tiles" style={{ width: rowWidth }}>
        {page.tracks.map(tileOf).map((tile) => (
          <Tile key={tile.key} tile={tile} enlarged={enlarged === tile.key} onEnlarge={onEnlarge} style={grid.tile} />
        ))}
      </div>
      {page.totalPageCount > 1 && (
        <nav className="pages" aria-label={t('tile.page', { page: page.currentPage, pages: page.totalPageCount })}>
          <button type="button" aria-label={t('tile.previous')} disabled={page.currentPage <= 1} onClick={page.prevPage}><Icon name="previous" /></button>
          <span aria-live="polite">{page.currentPage} / {page.totalPageCount}</span>
          <button type="button" aria-label={t('tile.next')} disabled={page.currentPage >= page.totalPageCount} onClick={page.nextPage}><Icon name="next" /></button>
        </nav>
      )}
    </div>
  );
}
