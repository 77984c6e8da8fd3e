// Owns the sound of the others, and asking for a click when the browser plays none without.
import type { ReactNode } from 'react';
import { RoomAudioRenderer, useAudioPlayback } from '@livekit/components-react';
import { background } from '../background.ts';
import { useServices, useTranslate } from '../services.ts';

export function SoundGate(): ReactNode {
  const t = useTranslate();
  const { room } = useServices();
  const { canPlayAudio, startAudio } = useAudioPlayback(room);
  return (
    <>
      <RoomAudioRenderer room={room} />
      {!canPlayAudio && (
        <div className="banner" role="alert">
          <span>{t('call.sound-blocked')}</span>
          <button type="button" onClick={() => background(startAudio(), 'turning the sound on')}>{t('call.enable-sound')}</button>
        </div>
      )}
    </>
  );
}
