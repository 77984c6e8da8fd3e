// Owns the errors that IndexedDB names.

type FaultName =
  | 'AbortError'
  | 'ConstraintError'
  | 'DataError'
  | 'InvalidAccessError'
  | 'InvalidStateError'
  | 'NotFoundError'
  | 'NotSupportedError'
  | 'QuotaExceededError'
  | 'ReadOnlyError'
  | 'TransactionInactiveError'
  | 'UnknownError'
  | 'VersionError';

export function fault(name: FaultName, message: string): DOMException {
  return new DOMException(message, name);
}

/** What a request fails with when SQLite, or cloning a value, has thrown. */
export function asFault(thrown: unknown): DOMException {
  if (thrown instanceof DOMException) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return fault(/\bfull\b/i.test(message) ? 'QuotaExceededError' : 'UnknownError', message);
}
