// Owns the real clock and the real randomness.
import { randomBytes, randomInt } from 'node:crypto';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

export const systemClock = {
  nowMs: (): number => Date.now(),
  after: (delayMs: number, run: () => void): (() => void) => {
    const timer = setTimeout(run, Math.min(delayMs, 2 ** 31 - 1));
    return () => {
      clearTimeout(timer);
    };
  },
};

export const systemRandom = {
  base32: (length: number): string => Array.from(randomBytes(length), (byte) => alphabet[byte & 31]).join(''),
  digits: (length: number): string => Array.from({ length }, () => String(randomInt(10))).join(''),
};
