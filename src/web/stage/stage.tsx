// Owns the dark surface with everybody's pictures, and which of the two views it has.
import { type ReactNode, useMemo } from 'react';
import { useTracks } from '@livekit/components-react';
import { Track } from 'livekit-client';
import { useTranslate } from '../services.ts';
import { useSize } from '../ui/use-size.ts';
import { FocusView } from './focus-view.tsx';
import { GridView } from './grid-view.tsx';
import { useLastSpeaker } from './use-last-speaker.ts';
import type { StageView } from './use-stage-view.ts';
import { tileOf } from './tiles.ts';

const sources = [
  { source: Track.Source.Camera, withPlaceholder: true },
  { source: Track.Source.ScreenShare, withPlaceholder: false },
];

export function Stage({ view, connected }: { readonly view: StageView; readonly connected: boolean }): ReactNode {
  const t = useTranslate();
  const references = useTracks(sources, { onlySubscribed: false });
  const tiles = useMemo(() => references.map(tileOf), [references]);
  const lastSpeaker = useLastSpeaker();
  const { ref, size } = useSize();
  const alone = connected && tiles.every((tile) => tile.isLocal);
  return (
    <section className="stage" ref={ref} data-view={view.view}>
      {size !== undefined && view.view === 'grid' && <GridView tiles={tiles} size={size} enlarged={view.enlarged} onEnlarge={view.enlarge} />}
      {size !== undefined && view.view === 'focus' && <FocusView tiles={tiles} size={size} enlarged={view.enlarged} lastSpeaker={lastSpeaker} onEnlarge={view.enlarge} />}
      {alone && <p className="stage-alone" role="status">{t('call.alone')}</p>}
    </section>
  );
}
