// Owns builders of what a homeserver sends: events with defaults, as JSON.
import { randomUUID } from 'node:crypto';

export type RawEvent = Readonly<Record<string, unknown>> & { readonly event_id: string };

export const sentAtMs = 1_700_000_000_000;

export function rawEvent(change: Readonly<Record<string, unknown>> = {}): RawEvent {
  return {
    type: 'm.room.message',
    event_id: `$${randomUUID()}`,
    room_id: '!room:interieur.example.org',
    sender: '@alice:interieur.example.org',
    origin_server_ts: sentAtMs,
    content: { msgtype: 'm.text', body: '!visio' },
    ...change,
  };
}

export function rawMember(user: string, membership: string, change: Readonly<Record<string, unknown>> = {}): RawEvent {
  return rawEvent({ type: 'm.room.member', state_key: user, content: { membership }, ...change });
}
