// Owns the keyboard shortcuts of the call. No DOM.

export const shortcuts = { m: 'microphone', v: 'camera', s: 'share', p: 'people', l: 'layout', '?': 'help' } as const;
export type ShortcutAction = (typeof shortcuts)[keyof typeof shortcuts];

export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
  readonly repeat: boolean;
  /** Tag name of the element that has the keyboard, in capitals. */
  readonly target: string;
}

const isShortcut = (key: string): key is keyof typeof shortcuts => Object.hasOwn(shortcuts, key);

/** What a key does, if anything: never while typing or choosing, never with a modifier that belongs to the browser. */
export function shortcutFor({ key, ctrlKey, altKey, metaKey, repeat, target }: KeyPress): ShortcutAction | undefined {
  if (ctrlKey || altKey || metaKey || repeat || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target)) return undefined;
  const lower = key.toLowerCase();
  return isShortcut(lower) ? shortcuts[lower] : undefined;
}
