// Owns how the quality of somebody's connection is shown.
import type { ReactNode } from 'react';
import { useConnectionQualityIndicator } from '@livekit/components-react';
import { ConnectionQuality, type Participant } from 'livekit-client';
import { useTranslate } from '../services.ts';

const shown = {
  [ConnectionQuality.Excellent]: 'excellent',
  [ConnectionQuality.Good]: 'good',
  [ConnectionQuality.Poor]: 'poor',
  [ConnectionQuality.Lost]: 'lost',
  [ConnectionQuality.Unknown]: undefined,
} as const;

/** Nothing until the bridge has measured. */
export function Quality({ participant }: { readonly participant: Participant }): ReactNode {
  const t = useTranslate();
  const quality = shown[useConnectionQualityIndicator({ participant }).quality];
  if (quality === undefined) return null;
  const words = t(`quality.${quality}`);
  return (
    <svg className="quality" viewBox="0 0 14 12" data-quality={quality} role="img" aria-label={words}>
      <title>{words}</title>
      <rect x="0" y="8" width="3.5" height="4" rx="1" />
      <rect x="5.25" y="4.5" width="3.5" height="7.5" rx="1" />
      <rect x="10.5" y="0" width="3.5" height="12" rx="1" />
    </svg>
  );
}
