// Owns why a session ended. Each wire maps these once.

export type CloseReason =
  | 'clientLeft'
  | 'duplicateIdentity'
  /** Kicked, banned or gone from the Matrix room. */
  | 'membershipLost'
  | 'callEnded'
  /** Neither signalling nor media for longer than the grace period. */
  | 'connectionLost'
  /** Connected but never became active. */
  | 'joinTimeout'
  /** The media worker died: rejoin at once. */
  | 'mediaLost'
  /** The bridge stops or restarts: rejoin. */
  | 'bridgeStopping'
  | 'protocolError';
