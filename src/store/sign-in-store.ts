// Owns the rows of device sign-ins: a row is a live sign-in, a missing row is a revoked one.
import type { SignInStore } from '../control/ports/store.ts';
import type { Database } from './database.ts';

export function createSignInStore(database: Database): SignInStore {
  const add = database.prepare('INSERT INTO sign_ins VALUES (?, ?, ?)');
  const live = database.prepare('SELECT 1 FROM sign_ins WHERE id = ? AND user = ? AND expires_at_ms > ?');
  const revoke = database.prepare('DELETE FROM sign_ins WHERE id = ?');
  const prune = database.prepare('DELETE FROM sign_ins WHERE expires_at_ms <= ?');
  return {
    add: (id, user, expiresAtMs) => {
      add.run(id, user, expiresAtMs);
    },
    isLive: (id, user, nowMs) => live.get(id, user, nowMs) !== undefined,
    revoke: (id) => revoke.run(id).changes === 1,
    prune: (nowMs) => {
      prune.run(nowMs);
    },
  };
}
