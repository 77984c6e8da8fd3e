// Owns the live list of cameras, microphones and speakers.
import { useEffect, useState } from 'react';
import { background } from '../background.ts';
import { canCapture } from './capture.ts';

export interface DeviceLists {
  readonly cameras: readonly MediaDeviceInfo[];
  readonly microphones: readonly MediaDeviceInfo[];
  readonly speakers: readonly MediaDeviceInfo[];
}

const none: DeviceLists = { cameras: [], microphones: [], speakers: [] };

async function listDevices(): Promise<DeviceLists> {
  const all = await navigator.mediaDevices.enumerateDevices();
  // Before the first permission browsers list devices without an id: nothing that could be chosen.
  const of = (kind: MediaDeviceKind): MediaDeviceInfo[] => all.filter((device) => device.kind === kind && device.deviceId !== '');
  return { cameras: of('videoinput'), microphones: of('audioinput'), speakers: of('audiooutput') };
}

/** @param permissions anything that changes when a permission may have been given: names are hidden before. */
export function useDevices(permissions: unknown): DeviceLists {
  const [lists, setLists] = useState(none);
  useEffect(() => {
    if (!canCapture()) return;
    let current = true;
    const refresh = (): void => background(listDevices().then((found) => {
      if (current) setLists(found);
    }), 'listing devices');
    refresh();
    navigator.mediaDevices.addEventListener('devicechange', refresh);
    return () => {
      current = false;
      navigator.mediaDevices.removeEventListener('devicechange', refresh);
    };
  }, [permissions]);
  return lists;
}
