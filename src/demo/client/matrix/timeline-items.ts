// Owns what of a room's timeline is shown, and how it is put together: days, runs of one sender, edits, changes of members. Pure.
import type { Room } from './room.ts';
import { type CallContent, callSchema, memberSchema, type MatrixEvent, type MessageContent, messageSchema } from './schemas.ts';

export type TimelineItem =
  | { readonly kind: 'day'; readonly key: string; readonly timestampMs: number }
  | { readonly kind: 'message'; readonly key: string; readonly sender: string; readonly timestampMs: number; readonly content: MessageContent; readonly edited: boolean; readonly continued: boolean }
  | { readonly kind: 'call'; readonly key: string; readonly sender: string; readonly timestampMs: number; readonly call: CallContent }
  | { readonly kind: 'deleted'; readonly key: string; readonly sender: string; readonly timestampMs: number }
  | { readonly kind: 'change'; readonly key: string; readonly change: Change; readonly who: string; readonly by: string; readonly reason: string | undefined };

export type Change = 'created' | 'joined' | 'left' | 'invited' | 'declined' | 'kicked' | 'banned';

const runMs = 5 * 60_000;

export function timelineItems(room: Room): readonly TimelineItem[] {
  const items: TimelineItem[] = [];
  let day = '';
  for (const event of room.timeline) {
    const item = itemOf(room, event, items.at(-1));
    if (item === undefined || isOwnArrival(item, items.at(-1))) continue;
    // An invitation that was accepted at once is told by its acceptance.
    if (isAccepted(items.at(-1), item)) items.pop();
    const itemDay = new Date(event.origin_server_ts).toDateString();
    if (itemDay !== day) items.push({ kind: 'day', key: itemDay, timestampMs: event.origin_server_ts });
    day = itemDay;
    items.push(item);
  }
  return items;
}

/** Who creates a room joins it in the next event. */
function isOwnArrival(item: TimelineItem, before: TimelineItem | undefined): boolean {
  return item.kind === 'change' && item.change === 'joined' && before?.kind === 'change' && before.change === 'created' && before.who === item.who;
}

function isAccepted(before: TimelineItem | undefined, item: TimelineItem): boolean {
  return before?.kind === 'change' && before.change === 'invited' && item.kind === 'change' && item.change === 'joined' && item.who === before.who;
}

function itemOf(room: Room, event: MatrixEvent, before: TimelineItem | undefined): TimelineItem | undefined {
  const { event_id: key, sender, origin_server_ts: timestampMs } = event;
  if (event.type === 'm.room.create') return { kind: 'change', key, change: 'created', who: sender, by: sender, reason: undefined };
  if (event.type === 'm.room.member') return memberItem(event);
  if (event.type !== 'm.room.message') return undefined;
  if (room.deleted.has(key) || event.unsigned?.redacted_because !== undefined) return { kind: 'deleted', key, sender, timestampMs };
  const edit = room.edits.get(key);
  // Only the author may edit (specification, "event replacements").
  const current = edit?.sender === sender ? edit : undefined;
  const content = messageSchema.safeParse(current?.content ?? event.content);
  if (!content.success) return undefined;
  const call = content.data.msgtype === 'm.notice' ? callSchema.safeParse(content.data['fr.viaduc.call']) : undefined;
  if (call?.success === true) return { kind: 'call', key, sender, timestampMs, call: call.data };
  const continued = before?.kind === 'message' && before.sender === sender && timestampMs - before.timestampMs < runMs;
  return { kind: 'message', key, sender, timestampMs, content: content.data, edited: current !== undefined, continued };
}

function memberItem(event: MatrixEvent): TimelineItem | undefined {
  const now = memberSchema.safeParse(event.content);
  const who = event.state_key;
  if (!now.success || who === undefined) return undefined;
  const was = memberSchema.safeParse(event.unsigned?.prev_content).data?.membership ?? 'leave';
  const change = changeOf(was, now.data.membership, who === event.sender);
  return change && { kind: 'change', key: event.event_id, change, who, by: event.sender, reason: now.data.reason };
}

function changeOf(was: string, now: string, oneself: boolean): Change | undefined {
  if (was === now) return undefined;
  if (now === 'join') return 'joined';
  if (now === 'invite') return 'invited';
  if (now === 'ban') return 'banned';
  if (now !== 'leave') return undefined;
  if (!oneself) return 'kicked';
  return was === 'invite' ? 'declined' : 'left';
}
