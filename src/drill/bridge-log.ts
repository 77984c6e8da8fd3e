// Owns reading a bridge's log as it grows: entries, and waiting for one.
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { waitFor } from '../demo/check/wait.ts';

const entrySchema = z.object({ level: z.string(), message: z.string(), timestamp: z.string().transform((text) => Date.parse(text)), keys: z.record(z.string(), z.unknown()).default({}) });
export type LogEntry = z.infer<typeof entrySchema>;
type Test = (entry: LogEntry) => boolean;

export class BridgeLog {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Entries from that time on (milliseconds since 1970), oldest first. What is no entry is left out. */
  since(fromMs: number, test: Test = () => true): readonly LogEntry[] {
    if (!existsSync(this.path)) return [];
    return readFileSync(this.path, 'utf8')
      .split('\n')
      .flatMap((line) => entryOf(line) ?? [])
      .filter((entry) => entry.timestamp >= fromMs && test(entry));
  }

  /** @returns undefined if none has come in time */
  async await(fromMs: number, test: Test, timeoutMs: number): Promise<LogEntry | undefined> {
    try {
      await waitFor('an entry', () => Promise.resolve(this.since(fromMs, test).length > 0 ? undefined : 'none'), timeoutMs);
    } catch {
      return undefined;
    }
    return this.since(fromMs, test)[0];
  }
}

function entryOf(line: string): LogEntry | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return entrySchema.safeParse(JSON.parse(line)).data;
  } catch {
    // The last line may be half written.
    return undefined;
  }
}
