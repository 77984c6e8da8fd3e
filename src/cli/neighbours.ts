// Owns ./viaduc neighbours: how the running bridge is linked to each neighbour, and what to do where it is not.
import { z } from 'zod';
import { loadConfig } from '../config/load.ts';
import { sharesCalls } from '../config/shares-calls.ts';
import { asError } from '../util/background.ts';

const statuses = z.array(
  z.object({
    server: z.string(),
    state: z.enum(['up', 'opening', 'idle', 'down']),
    roundTripMs: z.number().optional(),
    reason: z.string().optional(),
    queuedBytes: z.number(),
    calls: z.number(),
    people: z.number(),
    tracksReceived: z.number(),
    stalledCalls: z.number(),
    callsWithoutPipe: z.number(),
    pipeFault: z.string().optional(),
    bytesSent: z.number(),
    bytesReceived: z.number(),
    packetsLost: z.number(),
    refusals: z.record(z.string(), z.number()),
  }),
);
type Status = z.infer<typeof statuses>[number];

const columns: readonly (readonly [string, (status: Status) => string])[] = [
  ['neighbour', ({ server }) => server],
  ['link', ({ state }) => state],
  ['rtt', ({ roundTripMs }) => (roundTripMs === undefined ? '-' : `${roundTripMs.toFixed(0)} ms`)],
  ['calls', ({ calls }) => String(calls)],
  ['people', ({ people }) => String(people)],
  ['tracks in', ({ tracksReceived }) => String(tracksReceived)],
  ['sent', ({ bytesSent }) => megabytes(bytesSent)],
  ['received', ({ bytesReceived }) => megabytes(bytesReceived)],
  ['lost', ({ packetsLost }) => String(packetsLost)],
  ['queue', ({ queuedBytes }) => `${queuedBytes} B`],
  ['refused', ({ refusals }) => counts(refusals) || '-'],
];

/** The exit status: 1 when the bridge does not run or a neighbour that is needed is down. */
export async function neighbours(configPath: string): Promise<number> {
  const config = loadConfig(configPath);
  const { metrics } = config;
  if (!sharesCalls(config)) {
    process.stdout.write('No neighbours are configured: calls are not shared with other bridges. List them under neighbours in the configuration, or set cascade.accept.\n');
    return 0;
  }
  let rows: readonly Status[];
  let strangers: Readonly<Record<string, number>>;
  const ask = async (path: string): Promise<unknown> => (await fetch(`http://${metrics.host}:${metrics.port}/${path}`, { signal: AbortSignal.timeout(5000) })).json();
  try {
    rows = statuses.parse(await ask('neighbours'));
    strangers = z.record(z.string(), z.number()).parse(await ask('strangers'));
  } catch (error) {
    process.stderr.write(`The bridge does not answer on ${metrics.host}:${metrics.port} (${asError(error).message}). Is it running with this configuration?\n`);
    return 1;
  }
  process.stdout.write(rows.length === 0 ? 'No neighbours at the moment.\n' : `${table(rows)}\n`);
  for (const { server, state, reason, stalledCalls, callsWithoutPipe, pipeFault } of rows) {
    if (state === 'down') process.stdout.write(`\n${server} is down: ${reason ?? 'no reason is known'}.\n  → docs/errors.md, “Introductions”, says what to do about each reason; its operator sees what that bridge has refused with ./viaduc neighbours.\n`);
    if (callsWithoutPipe > 0) process.stdout.write(`\nMedia of ${callsWithoutPipe} calls cannot cross to ${server}: ${pipeFault ?? 'no reason is known'}.\n  → Widen cascade.firstPort–lastPort: each call takes one port for each neighbour. Open the ports to your neighbours and restart the bridge.\n`);
    if (stalledCalls > callsWithoutPipe) process.stdout.write(`\nMedia do not pass to or from ${server} in ${stalledCalls - callsWithoutPipe} calls.\n  → Check that UDP passes between both sides on the ports under cascade.\n`);
  }
  if (Object.keys(strangers).length > 0) process.stdout.write(`\nRefused to others than these: ${counts(strangers)}.\n  → docs/errors.md, “Introductions”, says what each means; the log names the servers.\n`);
  return rows.some(({ state, stalledCalls }) => state === 'down' || stalledCalls > 0) ? 1 : 0;
}

function table(rows: readonly Status[]): string {
  const lines = [columns.map(([title]) => title), ...rows.map((row) => columns.map(([, of]) => of(row)))];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => (line[index] ?? '').length)));
  return lines.map((line) => line.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('  ').trimEnd()).join('\n');
}

function counts(refusals: Readonly<Record<string, number>>): string {
  return Object.entries(refusals).map(([what, count]) => `${what} ${count}`).join(', ');
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
