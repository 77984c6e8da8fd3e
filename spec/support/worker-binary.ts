// Owns where specs find the mediasoup worker.
import { existsSync } from 'node:fs';

/** @throws when the start script was not used, in words */
export function workerBinary(): string {
  const path = process.env['MEDIASOUP_WORKER_BIN'];
  if (path === undefined || !existsSync(path)) throw new Error('MEDIASOUP_WORKER_BIN does not name the mediasoup worker. Run this through ./viaduc, which builds it.');
  return path;
}
