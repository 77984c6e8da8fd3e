// Owns what the bridge keeps of each room: page address, language, whether its widget could be set.
import { isSlug, parse, type RoomId, type Slug } from '../call/ids.ts';
import type { Clock, Random } from './ports/clock.ts';
import type { Language } from './ports/room-voice.ts';
import type { Outbox, OutboxMark, RoomSettings, RoomStore } from './ports/store.ts';

export interface RoomBookOptions {
  readonly store: RoomStore;
  readonly outbox: Outbox;
  readonly random: Random;
  readonly clock: Clock;
  readonly defaultLanguage: Language;
  readonly outboxMarked: () => void;
}

export function widgetMark(room: RoomId): OutboxMark {
  return { kind: 'widget', key: `${room}.widget`, room };
}

export class RoomBook {
  readonly #options: RoomBookOptions;

  constructor(options: RoomBookOptions) {
    this.#options = options;
  }

  bySlug(slug: Slug): RoomSettings | undefined {
    return this.#options.store.bySlug(slug);
  }

  /** Post: the room has a page address, which never changes while the room lives. */
  ensure(room: RoomId): RoomSettings {
    const { store, random } = this.#options;
    const known = store.byRoom(room);
    if (known !== undefined) return known;
    const settings: RoomSettings = { room, slug: parse(isSlug, random.base32(20), 'slug'), language: undefined, widget: undefined };
    store.save(settings);
    return settings;
  }

  language(room: RoomId): Language {
    return this.#options.store.byRoom(room)?.language ?? this.#options.defaultLanguage;
  }

  setLanguage(room: RoomId, language: Language): void {
    this.#options.store.save({ ...this.ensure(room), language });
    this.showWidget(room);
  }

  setWidget(room: RoomId, widget: 'set' | 'forbidden'): void {
    this.#options.store.save({ ...this.ensure(room), widget });
  }

  /** Looks again whether the room's widget stands as it should; nothing is sent when it does. */
  showWidget(room: RoomId): void {
    const { outbox, clock, outboxMarked } = this.#options;
    outbox.mark(widgetMark(room), clock.nowMs());
    outboxMarked();
  }

  /** The room was upgraded: its address and language go along. */
  move(from: RoomId, to: RoomId): void {
    const settings = this.#options.store.byRoom(from);
    if (settings !== undefined) this.#options.store.save({ ...settings, room: to, widget: undefined });
  }
}
