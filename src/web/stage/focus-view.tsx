// Owns the view with one large place, a shared screen or a person, and the others in a strip.
import type { ReactNode } from 'react';
import { chooseFocus, chooseStrip, type Size } from './layout.ts';
import { Tile } from './tile.tsx';
import type { StageTile } from './tiles.ts';

interface FocusViewProps {
  readonly tiles: readonly StageTile[];
  readonly size: Size;
  readonly enlarged: string | undefined;
  readonly lastSpeaker: string | undefined;
  readonly onEnlarge: (key: string | undefined) => void;
}

export function FocusView({ tiles, size, enlarged, lastSpeaker, onEnlarge }: FocusViewProps): ReactNode {
  const focus = chooseFocus(tiles, enlarged, lastSpeaker);
  const strip = chooseStrip(size);
  const others = tiles.filter((tile) => tile.key !== focus?.key);
  return (
    <div className="focus" data-side={strip.side} data-testid="focus">
      <div className="focus-main">
        {focus !== undefined && <Tile key={focus.key} tile={focus} enlarged={enlarged === focus.key} onEnlarge={onEnlarge} />}
      </div>
      {others.length > 0 && (
        <div className="focus-strip">
          {others.map((tile) => <Tile key={tile.key} tile={tile} enlarged={false} onEnlarge={onEnlarge} style={strip.tile} />)}
        </div>
      )}
    </div>
  );
}
