// Owns the programs that only the demo and the specs need, as the start script names them.
import { existsSync } from 'node:fs';

type Tool = 'VIADUC_SYNAPSE' | 'VIADUC_CHROMIUM' | 'VIADUC_NIO' | 'VIADUC_LOAD' | 'VIADUC_CACHE';

/** The path that the environment variable holds. @throws when the start script was not used, in words. */
export function toolPath(name: Tool): string {
  const path = process.env[name];
  if (path === undefined || path === '') throw new Error(`${name} is not set. Run this through ./viaduc, which installs what is missing and says where it is.`);
  if (name !== 'VIADUC_CACHE' && !existsSync(path)) throw new Error(`${name} names ${path}, which does not exist. Run this through ./viaduc, which installs what is missing.`);
  return path;
}
