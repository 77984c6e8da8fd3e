// Owns keeping the screen awake during a call.
import { useEffect } from 'react';
import { background } from '../background.ts';

export function useWakeLock(): void {
  useEffect(() => {
    if (!('wakeLock' in navigator)) return;
    let lock: WakeLockSentinel | undefined;
    let over = false;
    const take = async (): Promise<void> => {
      if (document.visibilityState !== 'visible') return;
      const taken = await navigator.wakeLock.request('screen');
      if (over) await taken.release();
      else lock = taken;
    };
    // The browser lets go of it whenever the page is hidden.
    const onVisible = (): void => background(take(), 'keeping the screen awake');
    onVisible();
    document.addEventListener('visibilitychange', onVisible);
    return () => {
      over = true;
      document.removeEventListener('visibilitychange', onVisible);
      if (lock !== undefined) background(lock.release(), 'letting the screen sleep');
    };
  }, []);
}
