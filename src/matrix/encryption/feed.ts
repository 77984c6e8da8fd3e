// Owns the way of keys to the bot: /sync as its device, without any room. Transactions lose them when they fail, /sync does not.
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { RequestError } from './device-client.ts';
import { DeviceLost, establishIdentity, type IdentityParts } from './identity.ts';

const filter = JSON.stringify({ room: { rooms: [] }, presence: { types: [] }, account_data: { types: [] } });
const pollMs = 30_000;
const graceMs = 30_000;
const againMs = { first: 200, longest: 30_000 };
const syncAnswer = z.object({
  next_batch: z.string(),
  to_device: z.object({ events: z.array(z.unknown()) }).optional(),
  device_lists: z.object({ changed: z.array(z.string()).default([]), left: z.array(z.string()).default([]) }).optional(),
  device_one_time_keys_count: z.record(z.string(), z.number()).optional(),
  device_unused_fallback_key_types: z.array(z.string()).optional(),
});

export interface FeedOptions extends IdentityParts {
  readonly signal: AbortSignal;
  /** Device and identity are known to the homeserver. */
  readonly ready: () => void;
}

/** Establishes the identity, then follows until the signal. Failures are tried again. @throws DeviceLost, and what is no failure of the homeserver */
export async function feed(options: FeedOptions): Promise<void> {
  await persistently(options, 'making the bot\'s device known', () => establishIdentity(options));
  if (options.signal.aborted) return;
  options.ready();
  while (!options.signal.aborted) await persistently(options, 'following the bot\'s keys', () => turn(options));
}

/** One long poll. */
async function turn({ client, machine, notes }: FeedOptions): Promise<void> {
  const { since } = notes;
  const query = { filter, set_presence: 'offline', timeout: since === undefined ? '0' : String(pollMs), ...(since !== undefined && { since }) };
  const sync = syncAnswer.parse(await client.request('GET', '/sync', { query, timeoutMs: pollMs + graceMs }));
  await machine.take({
    toDevice: sync.to_device?.events ?? [],
    ...sync.device_lists,
    keyCounts: sync.device_one_time_keys_count,
    unusedFallbackKeys: sync.device_unused_fallback_key_types,
  });
  // Only now: what is taken twice is recognised, what was never taken would be lost.
  notes.since = sync.next_batch;
  await machine.flush();
}

async function persistently({ signal, log, notes }: FeedOptions, what: string, work: () => Promise<void>): Promise<void> {
  for (let delayMs = againMs.first; !signal.aborted; delayMs = Math.min(delayMs * 2, againMs.longest)) {
    try {
      await work();
      return;
    } catch (error) {
      if (isAborted(signal)) return;
      if (!(error instanceof RequestError) && !(error instanceof z.ZodError)) throw error;
      if (isDeviceLost(error)) throw new DeviceLost(error.message);
      log('warn', `${what} failed, is tried again`, { detail: error.message, retryInMs: delayMs });
      // A homeserver that was set back does not know the place where we were.
      if (error instanceof RequestError && error.status === 400) notes.since = undefined;
      await sleep(Math.max(delayMs, error instanceof RequestError ? (error.retryAfterMs ?? 0) : 0), undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Asked anew after a wait. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

export function isDeviceLost(error: unknown): boolean {
  return error instanceof DeviceLost || (error instanceof RequestError && error.errcode === 'M_UNKNOWN_DEVICE');
}
