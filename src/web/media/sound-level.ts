// Owns measuring how loud a microphone is.

/** Loudness on a scale that looks right: −60 dBFS is 0, 0 dBFS is 1. @param samples −1 … 1. */
export function loudness(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const decibels = 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-10);
  return Math.min(1, Math.max(0, 1 + decibels / 60));
}

/**
 * Calls back with the loudness of a stream about 20 times a second until stopped.
 * @returns what stops it.
 */
export function watchLevel(stream: MediaStream, onLevel: (level: number) => void): () => void {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  const source = context.createMediaStreamSource(stream);
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    onLevel(loudness(samples));
  }, 50);
  return () => {
    clearInterval(timer);
    source.disconnect();
    context.close().catch(() => undefined); // Closed already.
  };
}
