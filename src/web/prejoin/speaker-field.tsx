// Owns choosing and testing where the sound goes.
import { type ReactNode, useState } from 'react';
import { background } from '../background.ts';
import { playTestSound } from '../media/test-sound.ts';
import { useMediaChoice, useServices, useTranslate } from '../services.ts';
import { Icon } from '../ui/icon.tsx';
import { DeviceSelect } from './device-select.tsx';

export function SpeakerField({ speakers }: { readonly speakers: readonly MediaDeviceInfo[] }): ReactNode {
  const t = useTranslate();
  const { choices } = useServices();
  const { speakerId } = useMediaChoice();
  const [playing, setPlaying] = useState(false);
  const test = async (): Promise<void> => {
    setPlaying(true);
    try {
      await playTestSound(speakerId);
    } finally {
      setPlaying(false);
    }
  };
  return (
    <DeviceSelect kind="speaker" devices={speakers} chosen={speakerId} onChoose={(id) => choices.set({ speakerId: id })}>
      <button type="button" className="button button-secondary button-small" disabled={playing} onClick={() => background(test(), 'playing the test sound')}>
        <Icon name="speaker" />
        <span className="button-text">{t(playing ? 'device.testing-speaker' : 'device.test-speaker')}</span>
      </button>
    </DeviceSelect>
  );
}
