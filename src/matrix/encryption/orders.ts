// Owns what the bridge's thread and the crypto machine's thread say to each other.

/** What the thread is made with. */
export interface ThreadSettings {
  /** Client-server API of our homeserver, without a trailing path. */
  readonly url: string;
  readonly asToken: string;
  readonly user: string;
  /** Device, sessions and keys: SQLite. */
  readonly file: string;
  /** What outlives that file: the bot's identity. */
  readonly identityFile: string;
}

/** How often a room wants new keys (`m.room.encryption`); left out: the machine's own limits. */
export interface RoomRules {
  readonly rotationPeriodMs?: number | undefined;
  readonly rotationPeriodMessages?: number | undefined;
}

export interface PlainMessage {
  readonly room: string;
  readonly type: string;
  readonly content: Readonly<Record<string, unknown>>;
  /** Who may read it: all devices of these users, and nobody else's. */
  readonly audience: readonly string[];
  readonly rules: RoomRules;
}

export type Decryption =
  | { readonly kind: 'clear'; readonly type: string; readonly content: Readonly<Record<string, unknown>> }
  /** Its key has not come, or comes too late in the session. */
  | { readonly kind: 'noKey'; readonly detail: string }
  /** The sender has said that the key will not come. */
  | { readonly kind: 'withheld'; readonly detail: string }
  /** Not what it pretends to be, or broken. */
  | { readonly kind: 'refused'; readonly detail: string };

export type Order =
  /** Makes device and identity known, then follows the homeserver: answered at once, goes on for ever. */
  | { readonly what: 'start' }
  | { readonly what: 'encrypt'; readonly message: PlainMessage }
  /** The event as the homeserver told it. */
  | { readonly what: 'decrypt'; readonly event: Readonly<Record<string, unknown>> }
  /** Devices of these users may have changed unnoticed. */
  | { readonly what: 'changed'; readonly users: readonly string[] }
  /** Answered when the file is closed. */
  | { readonly what: 'stop' };

export type NumberedOrder = Order & { readonly id: number };

/** Always for the moment: what could not be encrypted now is tried again. */
export interface Failure {
  readonly message: string;
  readonly retryAfterMs: number | undefined;
}

export type LogDetails = Readonly<Record<string, string | number | boolean | readonly string[]>>;
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type Report =
  | { readonly what: 'opened'; readonly device: string }
  | { readonly what: 'notOpened'; readonly detail: string }
  | { readonly what: 'done'; readonly id: number; readonly answer: unknown }
  | { readonly what: 'failed'; readonly id: number; readonly failure: Failure }
  /** Keys of these rooms have come. */
  | { readonly what: 'roomKeys'; readonly rooms: readonly string[] }
  /** The homeserver does not know the device any more: its keys are of no use. */
  | { readonly what: 'deviceLost' }
  /** The machine has panicked and cannot be used any more. */
  | { readonly what: 'broken'; readonly detail: string }
  | { readonly what: 'log'; readonly level: LogLevel; readonly message: string; readonly details: LogDetails };
