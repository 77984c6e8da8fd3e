// Owns waiting in the check: ask again until nothing is missing, and say what still was.
import { setTimeout as sleep } from 'node:timers/promises';

/** @param missing undefined when it is there. @throws naming what was awaited */
export async function waitFor(what: string, missing: () => Promise<string | undefined>, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const left = await missing();
    if (left === undefined) return;
    if (performance.now() > deadline) throw new Error(`waited ${String(timeoutMs / 1000)} s for ${what}: ${left}`);
    await sleep(200);
  }
}
