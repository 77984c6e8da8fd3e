// Owns what a drill is.
import type { Report } from './report.ts';

export interface DrillContext {
  /** How much of it: what that counts is in the drill's sentence. */
  readonly n: number;
  readonly basePort: number;
  /** Emptied before the drill; kept afterwards, with all logs. */
  readonly folder: string;
  readonly report: Report;
}

export interface Drill {
  readonly id: string;
  readonly sentence: string;
  readonly usualN: number;
  /** Passed if everything that the report was told to hold does. @throws in words when it cannot be made */
  run(context: DrillContext): Promise<{ readonly value: number; readonly limit: number }>;
}
