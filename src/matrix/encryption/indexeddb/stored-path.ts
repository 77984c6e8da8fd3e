// Owns the reading of key paths from their rows.
import type { KeyPath } from './key-path.ts';

export function parsePath(json: string): KeyPath | null {
  const path: unknown = JSON.parse(json);
  if (typeof path === 'string') return path;
  return Array.isArray(path) ? path.map(String) : null;
}
