// Owns the log: winston behind a narrow interface, child loggers by key, secrets that cannot print.
import { createLogger as createWinston, format, transports, type Logger as Winston } from 'winston';

export interface Logger {
  debug(message: string, keys?: LogKeys): void;
  info(message: string, keys?: LogKeys): void;
  warn(message: string, keys?: LogKeys): void;
  error(message: string, keys?: LogKeys): void;
  /** A logger that adds these keys to each line. */
  child(keys: LogKeys): Logger;
}

export type LogKeys = Readonly<Record<string, LogValue>>;
export type LogValue = string | number | boolean | null | undefined | Error | Secret<unknown> | readonly LogValue[] | { readonly [key: string]: LogValue };

/** A value that may be used but never printed: JSON, string conversion and inspection all show ‹secret›. */
export class Secret<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** The only way to the value; its name is easy to find in a review. */
  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return '‹secret›';
  }

  toJSON(): string {
    return '‹secret›';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '‹secret›';
  }
}

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'text' | 'json';
}

/** Writes to standard error, one line per entry. */
export function createLogger(options: LogOptions): Logger {
  const winston = createWinston({
    level: options.level,
    format: options.format === 'json' ? format.combine(format.timestamp(), format.json()) : format.combine(format.timestamp(), format.printf(textLine)),
    transports: new transports.Console({ stderrLevels: ['debug', 'info', 'warn', 'error'] }),
  });
  return wrap(winston, {});
}

/** Says nothing: for specs and tools. */
export const silentLogger: Logger = { debug: noop, info: noop, warn: noop, error: noop, child: () => silentLogger };

function noop(): void {
  return undefined;
}

function wrap(winston: Winston, base: LogKeys): Logger {
  const write = (level: string) => (message: string, keys: LogKeys = {}) => {
    winston.log(level, message, { keys: plain({ ...base, ...keys }) });
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error'), child: (keys) => wrap(winston, { ...base, ...keys }) };
}

function plain(value: LogValue): unknown {
  if (value instanceof Error) return { message: value.message, stack: value.stack, ...(value.cause instanceof Error && { cause: value.cause.message }) };
  if (value instanceof Secret) return value.toString();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[key, plain(item)]])));
  return value;
}

function textLine(entry: { level: string; message: unknown; timestamp?: unknown; keys?: unknown }): string {
  const keys = typeof entry.keys === 'object' && entry.keys !== null ? Object.entries(entry.keys) : [];
  const pairs = keys.map(([key, value]) => `${key}=${typeof value === 'string' && /^[\w.:@!$/+-]+$/.test(value) ? value : JSON.stringify(value)}`);
  return [String(entry.timestamp), entry.level.padEnd(5), String(entry.message), ...pairs].join(' ');
}
