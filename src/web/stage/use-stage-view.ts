// Owns the person's choice of view, and who is enlarged.
import { useEffect, useState } from 'react';
import { useTracks } from '@livekit/components-react';
import { Track } from 'livekit-client';
import { effectiveView, type View } from './layout.ts';

export interface StageView {
  readonly view: View;
  /** Key of the enlarged tile. */
  readonly enlarged: string | undefined;
  readonly toggle: () => void;
  readonly enlarge: (key: string | undefined) => void;
}

export function useStageView(): StageView {
  const shares = useTracks([Track.Source.ScreenShare], { onlySubscribed: false });
  const [chosen, setChosen] = useState<View>();
  const [enlarged, setEnlarged] = useState<string>();
  const sharing = shares.length > 0;
  // A new share is news: it takes the large place whatever was chosen before.
  useEffect(() => setChosen(undefined), [sharing]);
  const view = effectiveView(chosen, sharing || enlarged !== undefined);
  return {
    view,
    enlarged,
    toggle() {
      setEnlarged(undefined);
      setChosen(view === 'grid' ? 'focus' : 'grid');
    },
    enlarge(key) {
      setEnlarged(key);
      setChosen(key === undefined ? undefined : 'focus');
    },
  };
}
