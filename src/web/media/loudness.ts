// Owns how loud a piece of sound is. No DOM.

/** Loudness on a scale that looks right: −60 dBFS is 0, 0 dBFS is 1. @param samples −1 … 1. */
export function loudness(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const decibels = 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-10);
  return Math.min(1, Math.max(0, 1 + decibels / 60));
}
