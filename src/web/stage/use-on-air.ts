// Owns switching microphone, camera and devices during the call.
import { useState } from 'react';
import { ConnectionState } from 'livekit-client';
import { background } from '../background.ts';
import { setOnAir } from '../call/livekit-room.ts';
import { deviceFaultMessage } from '../media/device-error.ts';
import { useMediaChoice, useServices, useTranslate } from '../services.ts';

const kinds = { camera: 'videoinput', microphone: 'audioinput', speaker: 'audiooutput' } as const;

export interface OnAir {
  readonly microphone: boolean;
  readonly camera: boolean;
  /** A device is starting: pressing again waits for nothing and does nothing. */
  readonly busy: boolean;
  readonly toggle: (kind: 'camera' | 'microphone') => void;
  readonly chooseDevice: (kind: keyof typeof kinds, deviceId: string) => void;
}

export function useOnAir(): OnAir {
  const { choices, notices, room } = useServices();
  const t = useTranslate();
  const choice = useMediaChoice();
  const [busy, setBusy] = useState(false);

  const toggle = async (kind: 'camera' | 'microphone'): Promise<void> => {
    if (busy) return;
    choices.set({ [kind]: !choices.get()[kind] });
    // Without a connection the choice alone is kept: the rejoin applies it.
    if (room.state !== ConnectionState.Connected) return;
    setBusy(true);
    await setOnAir(room.localParticipant, kind, choices, (device, fault) => notices.say(t(deviceFaultMessage(device, fault)), 'alert'));
    setBusy(false);
  };

  return {
    microphone: choice.microphone,
    camera: choice.camera,
    busy,
    toggle: (kind) => background(toggle(kind), `switching the ${kind}`),
    chooseDevice(kind, deviceId) {
      choices.set({ [`${kind}Id`]: deviceId });
      background(room.switchActiveDevice(kinds[kind], deviceId), `switching to another ${kind}`);
    },
  };
}
