// Owns the view in which all have the same size, page by page when they are many.
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useSpeakingParticipants } from '@livekit/components-react';
import { useTranslate } from '../services.ts';
import { Icon } from '../ui/icon.tsx';
import { chooseGrid, gapPx, pagerHeightPx, type Size } from './layout.ts';
import { nextOrder } from './order.ts';
import { Tile } from './tile.tsx';
import type { StageTile } from './tiles.ts';

interface GridViewProps {
  readonly tiles: readonly StageTile[];
  readonly size: Size;
  readonly enlarged: string | undefined;
  readonly onEnlarge: (key: string | undefined) => void;
}

/** The tiles in an order that stays as it is from one render to the next. */
function useStableOrder(tiles: readonly StageTile[], perPage: number): readonly StageTile[] {
  const speaking = new Set(useSpeakingParticipants().map(({ identity }) => identity));
  const shown = useRef<readonly string[]>([]);
  const order = nextOrder(shown.current, tiles, perPage, speaking);
  useEffect(() => {
    shown.current = order.map(({ key }) => key);
  });
  return order;
}

export function GridView({ tiles, size, enlarged, onEnlarge }: GridViewProps): ReactNode {
  const t = useTranslate();
  const grid = chooseGrid(tiles.length, size);
  const order = useStableOrder(tiles, grid.perPage);
  const [wished, setWished] = useState(1);
  const pages = Math.max(1, Math.ceil(order.length / grid.perPage));
  const page = Math.min(wished, pages);
  return (
    <div className="grid" data-testid="grid" style={{ paddingBottom: pages > 1 ? pagerHeightPx : 0 }}>
      <div className="grid-tiles" style={{ width: grid.columns * (grid.tile.width + gapPx) }}>
        {order.slice((page - 1) * grid.perPage, page * grid.perPage).map((tile) => (
          <Tile key={tile.key} tile={tile} enlarged={enlarged === tile.key} onEnlarge={onEnlarge} style={grid.tile} />
        ))}
      </div>
      {pages > 1 && (
        <nav className="pages" aria-label={t('tile.page', { page, pages })}>
          <button type="button" aria-label={t('tile.previous')} disabled={page <= 1} onClick={() => setWished(page - 1)}><Icon name="previous" /></button>
          <span aria-live="polite">{page} / {pages}</span>
          <button type="button" aria-label={t('tile.next')} disabled={page >= pages} onClick={() => setWished(page + 1)}><Icon name="next" /></button>
        </nav>
      )}
    </div>
  );
}
