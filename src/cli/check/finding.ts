// Owns what a probe finds: good, doubtful or broken, and what to do about it.

export interface Finding {
  readonly level: 'ok' | 'warning' | 'failure';
  /** What was looked at and found, one sentence. */
  readonly what: string;
  /** What to do; empty when nothing is to be done. */
  readonly advice: string;
}

export const good = (what: string): Finding => ({ level: 'ok', what, advice: '' });
export const doubtful = (what: string, advice: string): Finding => ({ level: 'warning', what, advice });
export const broken = (what: string, advice: string): Finding => ({ level: 'failure', what, advice });
