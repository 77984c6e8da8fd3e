// Owns one room as its events add up: members, name, widget, timeline with edits and deletions. Pure.
import { createSchema, editSchema, type MatrixEvent, memberSchema, nameSchema, powerLevelsSchema, type SyncAnswer, topicSchema, type WidgetContent, widgetSchema } from './schemas.ts';

export interface Member {
  readonly userId: string;
  readonly membership: string;
  readonly displayName: string;
}

export interface Widget {
  readonly stateKey: string;
  readonly sender: string;
  readonly content: WidgetContent;
}

export interface Room {
  readonly roomId: string;
  /** Of the person who looks: join, invite, leave, ban. */
  readonly membership: string;
  readonly name: string;
  readonly topic: string;
  readonly members: ReadonlyMap<string, Member>;
  readonly widgets: ReadonlyMap<string, Widget>;
  readonly powerLevels: { readonly users: Readonly<Record<string, number>>; readonly users_default: number; readonly kick: number };
  /** People whose power has no end (room version 12). */
  readonly creators: readonly string[];
  /** Oldest first; edits and deletions are not in it, but in the two maps. */
  readonly timeline: readonly MatrixEvent[];
  readonly edits: ReadonlyMap<string, MatrixEvent>;
  readonly deleted: ReadonlySet<string>;
  /** Where earlier messages are asked for; undefined at the beginning of the room. */
  readonly earlier: string | undefined;
}

export function emptyRoom(roomId: string): Room {
  return {
    roomId, membership: 'none', name: '', topic: '', members: new Map(), widgets: new Map(), powerLevels: { users: {}, users_default: 0, kick: 50 },
    creators: [], timeline: [], edits: new Map(), deleted: new Set(), earlier: undefined,
  };
}

/** Applies one answer of /sync. A gap in the timeline drops what was before it: it can be asked for again. */
export function withSync(room: Room, { rooms }: SyncAnswer, myUserId: string): Room {
  const invitation = rooms.invite?.[room.roomId];
  if (invitation !== undefined) return { ...invitation.invite_state.events.reduce(withState, room), membership: 'invite' };
  const told = rooms.join?.[room.roomId] ?? rooms.leave?.[room.roomId];
  if (told === undefined) return room;
  const { timeline, state } = told;
  const gap = timeline.limited === true || room.timeline.length === 0;
  const start: Room = gap ? { ...room, timeline: [], earlier: timeline.prev_batch } : room;
  const stated = [...state.events, ...timeline.events].reduce(withState, start);
  const full = timeline.events.reduce(withEvent, stated);
  return { ...full, membership: full.members.get(myUserId)?.membership ?? full.membership };
}

/** Applies a page of earlier messages, newest first as /messages gives them. */
export function withEarlier(room: Room, page: readonly MatrixEvent[], end: string | undefined): Room {
  const older = page.toReversed().reduce(withEvent, { ...room, timeline: [] });
  const known = new Set(older.timeline.map(({ event_id }) => event_id));
  return { ...older, timeline: [...older.timeline, ...room.timeline.filter(({ event_id }) => !known.has(event_id))], earlier: end };
}

export function powerOf(room: Room, userId: string): number {
  return room.creators.includes(userId) ? Infinity : (room.powerLevels.users[userId] ?? room.powerLevels.users_default);
}

export function nameOf(room: Room, userId: string): string {
  return room.members.get(userId)?.displayName ?? localpartOf(userId);
}

export function localpartOf(userId: string): string {
  return userId.slice(1).split(':')[0] ?? userId;
}

/** "@alice:interieur.localhost:18440" → "interieur.localhost:18440" */
export function serverOf(userId: string): string {
  return userId.slice(userId.indexOf(':') + 1);
}

function withState(room: Room, event: MatrixEvent): Room {
  const { type, state_key: key, content } = event;
  if (key === undefined) return room;
  if (type === 'm.room.member') {
    const member = memberSchema.safeParse(content);
    if (!member.success) return room;
    const displayName = member.data.displayname ?? room.members.get(key)?.displayName ?? localpartOf(key);
    return { ...room, members: new Map(room.members).set(key, { userId: key, membership: member.data.membership, displayName }) };
  }
  if (type === 'im.vector.modular.widgets') {
    const widgets = new Map(room.widgets);
    const widget = widgetSchema.safeParse(content);
    widgets.delete(key);
    if (widget.success) widgets.set(key, { stateKey: key, sender: event.sender, content: widget.data });
    return { ...room, widgets };
  }
  if (type === 'm.room.name') return { ...room, name: nameSchema.safeParse(content).data?.name ?? '' };
  if (type === 'm.room.topic') return { ...room, topic: topicSchema.safeParse(content).data?.topic ?? '' };
  if (type === 'm.room.power_levels') return { ...room, powerLevels: powerLevelsSchema.safeParse(content).data ?? room.powerLevels };
  if (type === 'm.room.create') {
    const create = createSchema.safeParse(content).data;
    return create !== undefined && Number(create.room_version) >= 12 ? { ...room, creators: [event.sender, ...create.additional_creators] } : room;
  }
  return room;
}

function withEvent(room: Room, event: MatrixEvent): Room {
  if (event.type === 'm.room.redaction') {
    const target = event.redacts ?? event.content['redacts'];
    return typeof target === 'string' ? { ...room, deleted: new Set(room.deleted).add(target) } : room;
  }
  const edit = event.type === 'm.room.message' ? editSchema.safeParse(event.content) : undefined;
  if (edit?.success === true) {
    const target = edit.data['m.relates_to'].event_id;
    const before = room.edits.get(target);
    if (before !== undefined && before.origin_server_ts > event.origin_server_ts) return room;
    return { ...room, edits: new Map(room.edits).set(target, { ...event, content: edit.data['m.new_content'] }) };
  }
  return room.timeline.some(({ event_id }) => event_id === event.event_id) ? room : { ...room, timeline: [...room.timeline, event] };
}
