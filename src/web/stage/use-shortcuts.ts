// Owns listening to the keyboard during the call.
import { useEffect, useRef } from 'react';
import { type ShortcutAction, shortcutFor } from './shortcuts.ts';

export function useShortcuts(onAction: (action: ShortcutAction) => void): void {
  const latest = useRef(onAction);
  latest.current = onAction;
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const { key, ctrlKey, altKey, metaKey, repeat } = event;
      const target = event.target instanceof Element ? event.target.tagName : '';
      const action = shortcutFor({ key, ctrlKey, altKey, metaKey, repeat, target });
      if (action !== undefined) latest.current(action);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}
