// Owns reading how long a bridge's event loop is held up, from its own metrics.
import type { DrillBridge } from './ground.ts';

/** The p99 of the event loop's delay since the last reading, in milliseconds. Sampled every 10 ms, which is taken off. */
export async function loopDelayMs(bridge: DrillBridge): Promise<number> {
  return Math.max(0, (await metric(bridge, 'nodejs_eventloop_lag_p99_seconds')) * 1000 - 10);
}

/** @throws when the bridge has none of that name */
export async function metric(bridge: DrillBridge, name: string): Promise<number> {
  const value = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(await bridge.metrics())?.[1];
  if (value === undefined) throw new Error(`the bridge has no metric ${name}`);
  return Number(value);
}
