// Owns the words for a device that does not start. No DOM.
import type { MessageKey } from '../i18n/en.ts';

export type MediaKind = 'camera' | 'microphone' | 'screen';
export type DeviceFault = 'denied' | 'missing' | 'busy' | 'insecure' | 'unavailable';

/** @param name the name of the error that getUserMedia or getDisplayMedia gave (Media Capture and Streams §10). */
export function deviceFault(name: string): DeviceFault {
  switch (name) {
    case 'NotAllowedError':
    case 'PermissionDeniedError':
      return 'denied';
    case 'NotFoundError':
    case 'DevicesNotFoundError':
    case 'OverconstrainedError':
      return 'missing';
    case 'NotReadableError':
    case 'TrackStartError':
    case 'AbortError':
      return 'busy';
    case 'SecurityError':
    case 'InsecureContextError':
    case 'DeviceUnsupportedError':
      return 'insecure';
    default:
      return 'unavailable';
  }
}

/** The sentence that says what happened and what to do. */
export function deviceFaultMessage(kind: MediaKind, fault: DeviceFault): MessageKey {
  return `device-error.${kind}.${fault}`;
}
