// Owns how a duration reads. No DOM.

const twoDigits = (number: number): string => String(number).padStart(2, '0');

/** "4:05", "1:02:09"; a start that lies ahead (clocks differ) reads as 0:00. */
export function elapsedText(elapsedMs: number): string {
  const seconds = Math.max(0, Math.floor(elapsedMs / 1000));
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${twoDigits(minutes)}:${twoDigits(seconds % 60)}` : `${minutes}:${twoDigits(seconds % 60)}`;
}
