// Owns sharing a screen, with its sound where the browser can.
import { useEffect, useRef } from 'react';
import { useLocalParticipant } from '@livekit/components-react';
import { background } from '../background.ts';
import { deviceFault, deviceFaultMessage } from '../media/device-error.ts';
import { canShareScreen } from '../media/capture.ts';
import { useServices, useTranslate } from '../services.ts';

export interface ScreenShare {
  readonly possible: boolean;
  readonly sharing: boolean;
  readonly toggle: () => void;
}

/** Closing the browser's own window without choosing is a change of mind, not an error; a page that may not ask at all says so in its message. */
const changedMind = (error: unknown): boolean => error instanceof Error && error.name === 'NotAllowedError' && !/permissions? policy|disallowed/i.test(error.message);

/**
 * @param connected whether all is well.
 * @param rejoining whether the page comes back with a new ticket: a share cannot, the browser wants a new gesture.
 */
export function useScreenShare(connected: boolean, rejoining: boolean): ScreenShare {
  const { notices, room } = useServices();
  const t = useTranslate();
  const { isScreenShareEnabled: sharing } = useLocalParticipant();
  const wasSharing = useRef(false);
  useEffect(() => {
    if (connected) wasSharing.current = sharing;
    else if (rejoining && wasSharing.current) {
      wasSharing.current = false;
      notices.say(t('call.share-stopped'), 'alert');
    }
  }, [connected, rejoining, sharing]);
  const toggle = async (): Promise<void> => {
    try {
      await room.localParticipant.setScreenShareEnabled(!sharing, { audio: true, contentHint: 'detail', selfBrowserSurface: 'exclude', systemAudio: 'include' });
    } catch (error) {
      if (!changedMind(error)) notices.say(t(deviceFaultMessage('screen', deviceFault(error instanceof Error ? error.name : ''))), 'alert');
    }
  };
  return { possible: canShareScreen(), sharing, toggle: () => background(toggle(), 'sharing the screen') };
}
