// Port: time and randomness, so that use cases can be run on a virtual clock.

export interface Clock {
  nowMs(): number;
  /** Calls back once, not before delayMs; the returned function cancels. */
  after(delayMs: number, run: () => void): () => void;
}

export interface Random {
  /** Text of the alphabet a-z2-7, 5 bits of a secure generator per character. */
  base32(length: number): string;
  /** Decimal digits of a secure generator. */
  digits(length: number): string;
}
