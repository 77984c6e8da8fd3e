// Owns the numbers of docs/protocol/cascade.md that a bridge holds itself and its neighbours to.

export interface CascadeLimits {
  /** Told in `hello`: what we take from a neighbour. */
  readonly people: number;
  readonly tracksPerPerson: number;
  readonly framesPerSecond: number;
  readonly bytesPerSecond: number;
  readonly pingEveryMs: number;
  readonly silentAfterMs: number;
  /** Between the opening of the connection and the other's `hello`. */
  readonly helloTimeoutMs: number;
  readonly maxQueuedBytes: number;
  readonly keyLifetimeMs: number;
  readonly introductionsPerMinute: number;
  /** Introduction and connection together. */
  readonly openTimeoutMs: number;
  readonly firstRetryMs: number;
  readonly longestRetryMs: number;
  /** As longestRetryMs, of a neighbour with whom a link was up: it is there, and people wait for each other. */
  readonly longestReturnMs: number;
  /** A link that lived shorter than this counts as a failure to open. */
  readonly steadyAfterMs: number;
  /** One that lived that long at least counts half. */
  readonly halfSteadyAfterMs: number;
  readonly idleCloseMs: number;
}

export const cascadeLimits: CascadeLimits = {
  people: 500,
  tracksPerPerson: 12,
  framesPerSecond: 400,
  bytesPerSecond: 2 * 1024 * 1024,
  pingEveryMs: 2_000,
  silentAfterMs: 6_000,
  helloTimeoutMs: 6_000,
  maxQueuedBytes: 8 * 1024 * 1024,
  keyLifetimeMs: 30_000,
  introductionsPerMinute: 60,
  openTimeoutMs: 20_000,
  firstRetryMs: 1_000,
  longestRetryMs: 60_000,
  longestReturnMs: 15_000,
  steadyAfterMs: 10_000,
  halfSteadyAfterMs: 3_000,
  idleCloseMs: 60_000,
};

export const maxFrameBytes = 262_144;

/**
 * Of both ends of a connection. No compression: it would let small frames grow large. One frame a turn of the event loop:
 * what a neighbour sends in one go must not keep others waiting.
 */
export const socketOptions = { perMessageDeflate: false, maxPayload: maxFrameBytes, allowSynchronousEvents: false } as const;
