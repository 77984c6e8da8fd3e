// Owns the question which processes are ours: everything that descends from this one, as /proc tells.
import { readdirSync, readFileSync } from 'node:fs';

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  readonly started: string;
  readonly name: string;
}

/** A process that is told apart from a later one with the same number. */
export type KnownProcess = Omit<ProcessEntry, 'parent'>;

export function descendants(of: number = process.pid): readonly KnownProcess[] {
  const all = entries();
  const found: ProcessEntry[] = [];
  const parents = new Set([of]);
  for (let before = -1; before !== found.length; ) {
    before = found.length;
    for (const entry of all) {
      if (!parents.has(entry.parent) || parents.has(entry.pid)) continue;
      parents.add(entry.pid);
      found.push(entry);
    }
  }
  return found;
}

/** Those that still run; a zombie does not. */
export function stillRunning(known: readonly KnownProcess[]): readonly KnownProcess[] {
  const now = new Map(entries().map((entry) => [entry.pid, entry.started]));
  return known.filter(({ pid, started }) => now.get(pid) === started);
}

function entries(): readonly ProcessEntry[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap(entryOf);
}

/** proc(5): "pid (name) state ppid …", the name may hold anything; field 22 is the start time. */
function entryOf(pid: string): readonly ProcessEntry[] {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    // It has ended between the listing and the reading.
    return [];
  }
  const end = text.lastIndexOf(')');
  const [state, parent, ...rest] = text.slice(end + 2).split(' ');
  if (state === 'Z' || state === 'X') return [];
  return [{ pid: Number(pid), parent: Number(parent), started: rest[17] ?? '', name: text.slice(text.indexOf('(') + 1, end) }];
}
