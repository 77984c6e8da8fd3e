// Owns the pairing: asks for a code, waits until it was said in the room, keeps the sign-in.
import { useEffect, useState } from 'react';
import type { BridgeApi } from '../api/bridge-api.ts';
import { isPassing, type Refusal } from '../api/refusal.ts';
import type { Pairing } from '../api/schemas.ts';
import { background } from '../background.ts';
import { backOffMs } from '../call/back-off.ts';
import { patience } from '../call/patience.ts';
import type { SignInStore } from '../identity/sign-in.ts';
import { useServices } from '../services.ts';

export type PairingState =
  | { readonly kind: 'asking' }
  | { readonly kind: 'waiting'; readonly pairing: Pairing; readonly expiresAtMs: number }
  | { readonly kind: 'expired' }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

interface PairingRun {
  readonly api: BridgeApi;
  readonly signIn: SignInStore;
  readonly signal: AbortSignal;
  readonly become: (state: PairingState) => void;
}

async function awaitCode({ api, signIn, signal, become }: PairingRun, pairing: Pairing, expiresAtMs: number): Promise<void> {
  let failures = 0;
  for (;;) {
    const result = await api.awaitPairing(pairing.pairing, signal);
    if (signal.aborted) return;
    if (result.ok && result.value.status === 'paired') {
      const { sign_in: token, user_id: userId, expires_at: until } = result.value;
      signIn.set({ token, userId, expiresAtMs: until });
      return;
    }
    if (Date.now() >= expiresAtMs || (result.ok && result.value.status === 'expired')) {
      become({ kind: 'expired' });
      return;
    }
    if (result.ok) {
      failures = 0;
      continue;
    }
    if (!isPassing(result.refusal)) {
      become({ kind: 'expired' });
      return;
    }
    await patience(backOffMs(failures++, Math.random(), result.refusal.retryAfterMs), signal);
  }
}

async function pair(run: PairingRun): Promise<void> {
  const result = await run.api.startPairing();
  if (run.signal.aborted) return;
  if (!result.ok) {
    run.become({ kind: 'refused', refusal: result.refusal });
    return;
  }
  const expiresAtMs = Date.now() + result.value.expires_in_ms;
  run.become({ kind: 'waiting', pairing: result.value, expiresAtMs });
  await awaitCode(run, result.value, expiresAtMs);
}

/** The state of the pairing, and how to begin a new one. */
export function usePairing(): { readonly state: PairingState; readonly again: () => void } {
  const { api, signIn } = useServices();
  const [round, setRound] = useState(0);
  const [state, become] = useState<PairingState>({ kind: 'asking' });
  useEffect(() => {
    const controller = new AbortController();
    become({ kind: 'asking' });
    background(pair({ api, signIn, signal: controller.signal, become }), 'pairing');
    return () => controller.abort();
  }, [api, signIn, round]);
  return { state, again: () => setRound(round + 1) };
}
