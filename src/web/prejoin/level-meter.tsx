// Owns the moving bar that shows that the microphone hears something.
import { type ReactNode, useEffect, useRef } from 'react';
import { useTranslate } from '../services.ts';
import { watchLevel } from '../media/sound-level.ts';

const bars = 24;

export function LevelMeter({ stream }: { readonly stream: MediaStream | undefined }): ReactNode {
  const t = useTranslate();
  const meter = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = meter.current;
    if (stream === undefined || element === null) return;
    // Straight to the element: 20 renders a second would cost more than the sound.
    const show = (level: number): void => {
      element.style.setProperty('--level', String(Math.round(level * bars) / bars));
      element.setAttribute('aria-valuenow', String(Math.round(level * 10) * 10));
    };
    const stop = watchLevel(stream, show);
    return () => {
      stop();
      show(0);
    };
  }, [stream]);
  return <div ref={meter} className="level" role="meter" aria-label={t('prejoin.level')} aria-valuemin={0} aria-valuemax={100} aria-valuenow={0} data-testid="level-meter" />;
}
