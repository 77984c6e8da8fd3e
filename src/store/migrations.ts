// Owns the schema: one step per released change, applied in order. A released step never changes.

export const migrations: readonly string[] = [
  `
  CREATE TABLE calls (
    id TEXT PRIMARY KEY,
    room TEXT NOT NULL,
    slug TEXT NOT NULL,
    started_by TEXT NOT NULL,
    start_event TEXT,
    started_at_ms INTEGER NOT NULL,
    ended_at_ms INTEGER,
    empty_since_ms INTEGER,
    notice_id TEXT,
    notice_revision INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX calls_open ON calls (room) WHERE ended_at_ms IS NULL;

  CREATE TABLE participants (
    call_id TEXT NOT NULL REFERENCES calls (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    identity TEXT NOT NULL,
    user TEXT NOT NULL,
    device TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    joined_at_ms INTEGER NOT NULL,
    present INTEGER NOT NULL,
    PRIMARY KEY (call_id, id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE outbox (
    key TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    room TEXT NOT NULL,
    call_id TEXT,
    content TEXT,
    revision INTEGER NOT NULL DEFAULT 1,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX outbox_due ON outbox (due_at_ms);

  CREATE TABLE events (
    event_id TEXT PRIMARY KEY,
    received_at_ms INTEGER NOT NULL,
    event TEXT
  ) STRICT;
  CREATE INDEX events_pending ON events (received_at_ms) WHERE event IS NOT NULL;

  CREATE TABLE rooms (
    room TEXT PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    language TEXT,
    widget TEXT
  ) STRICT;

  CREATE TABLE sign_ins (
    id TEXT PRIMARY KEY,
    user TEXT NOT NULL,
    expires_at_ms INTEGER NOT NULL
  ) STRICT;
  `,
  `
  ALTER TABLE calls ADD COLUMN owner TEXT;
  ALTER TABLE calls ADD COLUMN term INTEGER NOT NULL DEFAULT 0;
  `,
  `
  CREATE TABLE encrypted_rooms (room TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE handed_leaves (
    room TEXT NOT NULL,
    identity TEXT NOT NULL,
    delay_id TEXT NOT NULL,
    delay_ms INTEGER NOT NULL,
    PRIMARY KEY (room, identity)
  ) STRICT, WITHOUT ROWID;
  `,
];
