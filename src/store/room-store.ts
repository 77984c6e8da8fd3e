// Owns the rows of rooms: their page address, language and whether their widget could be set.
import { z } from 'zod';
import { isRoomId, isSlug, parse } from '../call/ids.ts';
import type { RoomSettings, RoomStore } from '../control/ports/store.ts';
import type { Database } from './database.ts';

const roomRow = z.strictObject({ room: z.string(), slug: z.string(), language: z.enum(['fr', 'en']).nullable(), widget: z.enum(['set', 'forbidden']).nullable() });

export function createRoomStore(database: Database): RoomStore {
  const bySlug = database.prepare('SELECT * FROM rooms WHERE slug = ?');
  const byRoom = database.prepare('SELECT * FROM rooms WHERE room = ?');
  const forgetSlug = database.prepare('DELETE FROM rooms WHERE slug = @slug AND room != @room');
  const save = database.prepare('INSERT INTO rooms VALUES (@room, @slug, @language, @widget) ON CONFLICT (room) DO UPDATE SET slug = @slug, language = @language, widget = @widget');
  const move = database.transaction((settings: RoomSettings) => {
    forgetSlug.run({ slug: settings.slug, room: settings.room });
    save.run({ ...settings, language: settings.language ?? null, widget: settings.widget ?? null });
  });
  return {
    bySlug: (slug) => read(bySlug.get(slug)),
    byRoom: (room) => read(byRoom.get(room)),
    save: (settings) => {
      move.immediate(settings);
    },
  };
}

function read(row: unknown): RoomSettings | undefined {
  if (row === undefined) return undefined;
  const { room, slug, language, widget } = roomRow.parse(row);
  return { room: parse(isRoomId, room, 'room id'), slug: parse(isSlug, slug, 'slug'), language: language ?? undefined, widget: widget ?? undefined };
}
