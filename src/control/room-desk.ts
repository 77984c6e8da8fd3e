// Owns what people ask of calls from a room, and what happens in rooms to the calls.
import { roleOf, levelToSend, powerOf } from '../call/roles.ts';
import { callError } from '../call/errors.ts';
import type { UserId } from '../call/ids.ts';
import { err, ok } from '../util/result.ts';
import type { CallRegistry } from './call-registry.ts';
import type { PeerDesk } from './peers/peer-desk.ts';
import type { Clock } from './ports/clock.ts';
import type { RoomCommands } from './ports/room-commands.ts';
import type { RoomDirectory, RoomListener } from './ports/room-directory.ts';
import type { Outbox } from './ports/store.ts';
import type { RoomBook } from './room-book.ts';
import type { SignInDesk } from './sign-in-desk.ts';

export interface RoomDeskOptions {
  readonly calls: CallRegistry;
  readonly rooms: RoomBook;
  readonly signIns: SignInDesk;
  readonly directory: RoomDirectory;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly outboxMarked: () => void;
  /** Calls shared with neighbours; undefined: there are none. */
  readonly peers: Pick<PeerDesk, 'memberCame' | 'memberGone'> | undefined;
}

export function createRoomCommands({ calls, rooms, signIns, directory, outbox, clock, outboxMarked }: RoomDeskOptions): RoomCommands {
  return {
    start: async (room, by, eventId) => {
      const started = await calls.start({ room, by, eventId });
      return started.ok ? ok({ started: started.value.started, slug: started.value.live.call.slug }) : started;
    },
    status: (room) => {
      const call = calls.inRoom(room)?.call;
      if (call === undefined) return Promise.resolve(undefined);
      const people = [...call.participants.values()].map(({ user, server, state }) => ({ user, server, connected: state === 'active' }));
      return Promise.resolve({ slug: call.slug, startedBy: call.startedBy, startedAtMs: call.startedAtMs, people });
    },
    end: (room, by) => calls.end(room, by),
    language: (room) => rooms.language(room),
    setLanguage: async (room, by, language) => {
      const levels = await directory.powerLevels(room);
      if (!levels.ok) return levels;
      if (powerOf(by, levels.value) < levelToSend('m.room.name', levels.value)) return err(callError('forbidden', `${by} may not change the room's name`));
      rooms.setLanguage(room, language);
      calls.announceAgain(room);
      return ok(undefined);
    },
    hasCode: (room, code) => signIns.waits(room, code),
    claimCode: (room, by, code) => signIns.claim(room, by, code),
    say: (room, key, content) => {
      outbox.mark({ kind: 'message', key, room, content }, clock.nowMs());
      outboxMarked();
    },
  };
}

export function createRoomListener({ calls, rooms, directory, clock, peers }: RoomDeskOptions): RoomListener {
  return {
    memberCame: async (room, user) => {
      await peers?.memberCame(room, user);
    },
    memberGone: async (room, user) => {
      await calls.inRoom(room)?.apply({ type: 'memberGone', user, nowMs: clock.nowMs() });
      await peers?.memberGone(room, user);
    },
    powerLevelsChanged: async (room) => {
      const live = calls.inRoom(room);
      const levels = await directory.powerLevels(room);
      // A bot that was given power may show the call inside the room now.
      if (rooms.ensure(room).widget === 'forbidden') rooms.showWidget(room);
      if (live === undefined || !levels.ok) return;
      const users = new Set([...live.call.participants.values()].map(({ user }): UserId => user));
      await live.apply({ type: 'changeRoles', roles: new Map([...users].map((user) => [user, roleOf(user, levels.value)])) });
    },
    roomLost: async (room) => {
      const live = calls.inRoom(room);
      if (live !== undefined) await calls.endNow(live, 'the room is lost');
    },
    roomUpgraded: async (from, to) => {
      const live = calls.inRoom(from);
      if (live !== undefined) await calls.endNow(live, 'the room was upgraded');
      rooms.move(from, to);
    },
  };
}
