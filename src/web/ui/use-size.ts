// Owns measuring an element as it changes size.
import { type RefCallback, useCallback, useState } from 'react';
import type { Size } from '../stage/layout.ts';

/** The inner size of the element that gets the ref, in CSS pixels; undefined until it was measured. */
export function useSize(): { readonly ref: RefCallback<HTMLElement>; readonly size: Size | undefined } {
  const [size, setSize] = useState<Size>();
  const ref = useCallback((element: HTMLElement | null) => {
    if (element === null) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined) setSize({ width: Math.floor(entry.contentRect.width), height: Math.floor(entry.contentRect.height) });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { ref, size };
}
