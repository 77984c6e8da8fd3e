// Owns the sign-in that a pairing gave this device; storage is the bridge's origin's own, so one per bridge.
import { number, object, string, type output } from 'zod/mini';
import { keep, onThisDevice, readKept } from './kept.ts';

const signInSchema = object({ token: string(), userId: string(), expiresAtMs: number() });
type SignIn = output<typeof signInSchema>;

export interface SignInStore {
  /** The sign-in of this device, unless there is none or its time is over. */
  readonly get: () => SignIn | undefined;
  readonly set: (signIn: SignIn) => void;
  readonly drop: () => void;
  readonly subscribe: (listener: () => void) => () => void;
}

const key = 'viaduc.sign-in';

export function createSignInStore(): SignInStore {
  let signIn = readKept(onThisDevice, key, signInSchema);
  const listeners = new Set<() => void>();
  const become = (next: SignIn | undefined): void => {
    signIn = next;
    keep(onThisDevice, key, next);
    for (const listener of listeners) listener();
  };
  return {
    get: () => (signIn !== undefined && signIn.expiresAtMs > Date.now() ? signIn : undefined),
    set: become,
    drop: () => become(undefined),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
