// Owns the judgement of a connection: from stream scores, loss and round trip to one figure per direction.

export interface DirectionFigures {
  /** mediasoup's 0..10 per stream that should be flowing. */
  readonly scores: readonly number[];
  /** Share of packets lost on the way, 0..1. */
  readonly lossRatio: number;
  readonly roundTripMs: number | undefined;
}

/** 0..10, the worst stream decides; undefined: nothing flows. Source: the limits that LiveKit's scorer calls poor (8 % loss, 400 ms). */
export function directionScore({ scores, lossRatio, roundTripMs = 0 }: DirectionFigures): number | undefined {
  if (scores.length === 0) return undefined;
  const lossPenalty = lossRatio >= 0.08 ? 6 : lossRatio >= 0.03 ? 3 : 0;
  const delayPenalty = roundTripMs >= 400 ? 3 : roundTripMs >= 250 ? 1 : 0;
  return Math.max(0, Math.min(...scores) - lossPenalty - delayPenalty);
}
