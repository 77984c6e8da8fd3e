// Owns the login of a column: one device per browser tab, remembered until the tab is closed.
import { z } from 'zod';
import { clientApi, logIn, type MatrixSession } from '../../homeservers/client-api.ts';
import type { Column } from '../demo-info.ts';

const keptSchema = z.object({ userId: z.string(), accessToken: z.string(), deviceId: z.string() });

function keyOf(column: Column): string {
  return `viaduc-demo ${column.localpart}:${column.serverName}`;
}

/** The tab's session of that person, or a new login with the demo's password. */
export async function openSession(column: Column): Promise<MatrixSession> {
  const kept = keptSchema.safeParse(JSON.parse(sessionStorage.getItem(keyOf(column)) ?? 'null'));
  if (kept.success) return kept.data;
  const deviceId = `DEMO${crypto.randomUUID().slice(0, 8).toUpperCase()}`;
  const session = await logIn(clientApi(column.homeserverUrl), column.localpart, column.password, deviceId);
  sessionStorage.setItem(keyOf(column), JSON.stringify(session));
  return session;
}

/** For a homeserver that no longer knows the token. */
export function forgetSession(column: Column): void {
  sessionStorage.removeItem(keyOf(column));
}
