// Owns how a device is called when the browser gives it no name, or one with a hardware number behind it. No DOM.
import type { Translate } from '../i18n/language.ts';

/** "Logitech BRIO (046d:085e)" → "Logitech BRIO"; "" → "Camera 2". @param index place in its list, from 0. */
export function deviceName(t: Translate, kind: 'camera' | 'microphone' | 'speaker', label: string, index: number): string {
  const plain = label.replace(/\s*\([0-9a-f]{4}:[0-9a-f]{4}\)$/i, '').trim();
  return plain === '' ? t('device.unnamed', { kind: t(`device.${kind}`), number: index + 1 }) : plain;
}
