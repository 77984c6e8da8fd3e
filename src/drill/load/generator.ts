// Owns running the load generator (bench/load): its options, its phases as they begin, its result.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { z } from 'zod';

const quantiles = z.object({ count: z.number(), p50: z.number(), p95: z.number(), p99: z.number(), max: z.number() });
const phaseSchema = z.strictObject({ phase: z.enum(['joining', 'settling', 'warming', 'measuring', 'measured']) });
const resultSchema = z.object({
  seconds: z.number(),
  people: z.number(),
  listeners: z.number(),
  tracks: z.number(),
  sent: z.number(),
  expected: z.number(),
  received: z.number(),
  lost: z.number(),
  duplicated: z.number(),
  silent: z.number(),
  missing: z.number(),
  delivery: z.number(),
  worst: z.object({ identity: z.string(), delivery: z.number() }),
  packetsPerSecond: z.number(),
  delayMs: quantiles,
  joinMs: quantiles,
  firstMediaMs: quantiles,
  refused: z.number(),
  refusal: z.string().optional(),
  dropped: z.number(),
  drop: z.string().optional(),
  audit: z.object({ foreign: z.number(), misattributed: z.number(), mixed: z.number(), unstamped: z.number() }),
  generator: z.object({ cpuRatio: z.number(), lateMs: quantiles }),
});
type Phase = z.output<typeof phaseSchema>['phase'];
/** What each field means is in bench/load/README.md. */
export type LoadResult = z.output<typeof resultSchema>;

export interface LoadOptions {
  readonly binary: string;
  /** The generator's options by their names, without the dash. */
  readonly options: Readonly<Record<string, string | number | boolean>>;
  /** Called in the moment when a phase begins. */
  readonly onPhase: (phase: Phase) => void;
}

/** @throws with the generator's own words */
export async function runLoad({ binary, options, onPhase }: LoadOptions): Promise<LoadResult> {
  // All its threads: a priority that is set later is only the first one's. Without the right to it, nice says so and goes on.
  const child = spawn('nice', ['-n', generatorPriority, binary, ...Object.entries(options).map(([name, value]) => `-${name}=${value}`)], { stdio: ['ignore', 'pipe', 'pipe'] });
  const endWithUs = (): boolean => child.kill();
  process.once('exit', endWithUs);
  try {
    const closed = once(child, 'close');
    // Without a listener a program that cannot be started would end this process; `close` comes then, too.
    const complaints: string[] = [];
    child.on('error', (error) => complaints.push(error.message));
    child.stderr.setEncoding('utf8').on('data', (text: string) => complaints.push(text));
    let result: LoadResult | undefined;
    for await (const line of createInterface({ input: child.stdout })) {
      const said: unknown = JSON.parse(line);
      const phase = phaseSchema.safeParse(said);
      if (phase.success) onPhase(phase.data.phase);
      else result = resultSchema.parse(said);
    }
    await closed;
    if (result === undefined) throw new Error(`the load generator gave no result: ${complaints.join('').trim()}`);
    return result;
  } finally {
    process.off('exit', endWithUs);
    child.kill();
  }
}

/** Behind the bridge, before everything else. */
const generatorPriority = '-10';
