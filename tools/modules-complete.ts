// Owns one question: does node_modules hold exactly what package-lock.json says? Exit status 0 if so, else 1 and the first difference.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

interface Locked {
  readonly version?: string;
  readonly optional?: boolean;
  readonly link?: boolean;
}

const root = process.argv[2] ?? process.cwd();
const difference = firstDifference();
if (difference !== undefined) {
  console.error(difference);
  process.exitCode = 1;
}

function firstDifference(): string | undefined {
  // npm writes this file last: an interrupted installation has none.
  const hidden = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(hidden)) return 'node_modules is missing or incomplete';
  const finishedMs = statSync(hidden).mtimeMs;
  const installed = packagesOf(hidden);
  const wanted = packagesOf(join(root, 'package-lock.json'));
  for (const [path, locked] of Object.entries(wanted)) {
    const { version, optional, link } = locked ?? {};
    if (path === '' || link === true) continue;
    const manifest = join(root, path, 'package.json');
    if (!existsSync(manifest)) {
      if (optional === true && installed[path] === undefined) continue; // made for another system
      return `${path} is missing`;
    }
    if (statSync(join(root, path)).mtimeMs > finishedMs + 1000) return `${path} changed after the installation`;
    if (versionIn(manifest) !== version) return `${path} is not ${version ?? 'what the lock says'}`;
  }
  const surplus = Object.keys(installed).find((path) => wanted[path] === undefined);
  return surplus === undefined ? undefined : `${surplus} is not in the lock`;
}

// zod cannot check these files: it may be what is missing.
function packagesOf(file: string): Partial<Record<string, Locked>> {
  const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, Locked> };
  return lock.packages;
}

function versionIn(manifest: string): string | undefined {
  return (JSON.parse(readFileSync(manifest, 'utf8')) as Locked).version;
}
