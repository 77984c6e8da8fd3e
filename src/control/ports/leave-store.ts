// Port: the leave events that were handed to us, over restarts. Implemented by store/.
import type { RoomId } from '../../call/ids.ts';

export interface HandedLeave {
  readonly room: RoomId;
  /** Of the session in the room's call. */
  readonly identity: string;
  /** The delayed event at our homeserver (MSC4140). */
  readonly delayId: string;
  /** After this time the homeserver sends it, unless it is put off. */
  readonly delayMs: number;
}

/** One leave for each room and identity. */
export interface LeaveStore {
  all(): readonly HandedLeave[];
  put(leave: HandedLeave): void;
  /** Nothing happens when another one has taken its place. */
  remove(leave: HandedLeave): void;
}
