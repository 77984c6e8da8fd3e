// Owns measuring how loud a microphone is.
import { loudness } from './loudness.ts';

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
