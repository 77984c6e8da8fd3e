// Owns waiting in specs: ask again until nothing is missing, and say what still was when time is up.
import { setTimeout as sleep } from 'node:timers/promises';

const pauseMs = 25;

/**
 * Asks until the answer is undefined.
 * @param missing what is still missing, in words. An error it throws counts as missing until the end.
 * @throws after timeoutMs, with the last answer.
 */
export async function eventually(missing: () => string | undefined | Promise<string | undefined>, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const { what, cause } = await attempt(missing);
    if (what === undefined) return;
    if (performance.now() > deadline) throw new Error(`After ${String(timeoutMs / 1000)} s: ${what}`, { cause });
    await sleep(pauseMs);
  }
}

async function attempt(missing: () => string | undefined | Promise<string | undefined>): Promise<{ what: string | undefined; cause?: unknown }> {
  try {
    return { what: await missing() };
  } catch (cause) {
    return { what: cause instanceof Error ? cause.message : String(cause), cause };
  }
}
