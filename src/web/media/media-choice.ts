// Owns what the person wants on the air and from which devices: kept over visits, and what a rejoin restores.
import { boolean, object, optional, string, type output } from 'zod/mini';
import { keep, onThisDevice, readKept } from '../identity/kept.ts';

const mediaChoiceSchema = object({
  microphone: boolean(),
  camera: boolean(),
  microphoneId: optional(string()),
  cameraId: optional(string()),
  speakerId: optional(string()),
});
export type MediaChoice = output<typeof mediaChoiceSchema>;

export interface MediaChoiceStore {
  readonly get: () => MediaChoice;
  readonly set: (change: Partial<MediaChoice>) => void;
  readonly subscribe: (listener: () => void) => () => void;
}

const key = 'viaduc.media';

export function createMediaChoiceStore(): MediaChoiceStore {
  let choice = readKept(onThisDevice, key, mediaChoiceSchema) ?? { microphone: true, camera: true };
  const listeners = new Set<() => void>();
  return {
    get: () => choice,
    set(change) {
      choice = { ...choice, ...change };
      keep(onThisDevice, key, choice);
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
