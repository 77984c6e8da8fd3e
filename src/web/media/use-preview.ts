// Owns one device opened for the preview: opens it while it is wanted, closes it when it is not or the screen goes.
import { useEffect, useState } from 'react';
import { background } from '../background.ts';
import { closeStream, openDevice } from './capture.ts';
import { type DeviceFault, deviceFault } from './device-error.ts';

export type Preview =
  | { readonly kind: 'off' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'on'; readonly stream: MediaStream }
  | { readonly kind: 'failed'; readonly fault: DeviceFault };

/** @param round grows when the person asks to try again. */
export function usePreview(device: 'camera' | 'microphone', wanted: boolean, deviceId: string | undefined, round: number): Preview {
  const [preview, setPreview] = useState<Preview>({ kind: wanted ? 'starting' : 'off' });
  useEffect(() => {
    if (!wanted) {
      setPreview({ kind: 'off' });
      return;
    }
    let current = true;
    let opened: MediaStream | undefined;
    const open = async (): Promise<void> => {
      try {
        const stream = await openDevice(device, deviceId);
        if (!current) {
          closeStream(stream);
          return;
        }
        opened = stream;
        setPreview({ kind: 'on', stream });
      } catch (error) {
        if (current) setPreview({ kind: 'failed', fault: deviceFault(error instanceof Error ? error.name : '') });
      }
    };
    setPreview({ kind: 'starting' });
    background(open(), `opening the ${device}`);
    return () => {
      current = false;
      if (opened !== undefined) closeStream(opened);
    };
  }, [device, wanted, deviceId, round]);
  return preview;
}
