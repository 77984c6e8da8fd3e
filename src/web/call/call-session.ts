// Owns the life of this page's place in a call: join, come back by itself, end. Knows no DOM, React or LiveKit: they are its ports.
import { isPassing, type Refusal, type Result } from '../api/refusal.ts';
import type { Ticket } from '../api/schemas.ts';
import { backOffMs } from './back-off.ts';
import { type Ending, meaningOfDisconnect } from './disconnect.ts';

export type CallState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'joining' }
  | { readonly kind: 'in-call'; readonly ticket: Ticket }
  | { readonly kind: 'rejoining'; readonly ticket: Ticket; readonly attempt: number }
  | { readonly kind: 'over'; readonly ending: Ending; readonly ticket: Ticket }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** The media side. */
export interface CallRoom {
  /** Resolves once connected. @throws when the media server cannot be reached or does not take the ticket. */
  connect(ticket: Ticket): Promise<void>;
  /** Puts microphone and camera on the air as the person last chose; what fails is told to the person by the room itself. */
  publish(): Promise<void>;
  disconnect(): Promise<void>;
  /** The listener hears the name of LiveKit's DisconnectReason. */
  onDisconnected(listener: (reason: string | undefined) => void): void;
}

export interface CallSessionPorts {
  readonly room: CallRoom;
  readonly requestTicket: () => Promise<Result<Ticket>>;
  /** Resolves after the time, or at once when the signal aborts. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
}

export interface CallSession {
  readonly state: () => CallState;
  readonly subscribe: (listener: () => void) => () => void;
  /** Joins, or joins again after an end or a refusal. */
  readonly join: () => Promise<void>;
  readonly leave: () => Promise<void>;
  /** Cuts the present wait between two attempts short. */
  readonly retryNow: () => void;
  /** Back to the state before joining. */
  readonly reset: () => void;
}

export function createCallSession({ room, requestTicket, wait, random }: CallSessionPorts): CallSession {
  let state: CallState = { kind: 'idle' };
  let turn = 0; // Grows with each decision of the person: work begun before it is stale.
  let pause = new AbortController();
  const listeners = new Set<() => void>();

  const become = (next: CallState): void => {
    state = next;
    for (const listener of listeners) listener();
  };

  async function attempt(mine: number): Promise<Result<Ticket>> {
    const ticket = await requestTicket();
    if (!ticket.ok || mine !== turn) return ticket;
    try {
      await room.connect(ticket.value);
      return ticket;
    } catch (cause) {
      return { ok: false, refusal: { code: 'media', detail: cause instanceof Error ? cause.message : String(cause) } };
    }
  }

  async function enter(ticket: Ticket, mine: number): Promise<void> {
    if (mine !== turn) {
      // Left while the connection was being made; a newer join, if any, owns the room now.
      if (state.kind === 'over' || state.kind === 'idle') await room.disconnect();
      return;
    }
    become({ kind: 'in-call', ticket });
    await room.publish();
  }

  async function rejoin(ticket: Ticket): Promise<void> {
    const mine = ++turn;
    let atLeastMs = 0;
    for (let count = 0; mine === turn; count++) {
      become({ kind: 'rejoining', ticket, attempt: count });
      pause = new AbortController();
      await wait(backOffMs(count, random(), atLeastMs), pause.signal);
      if (mine !== turn) return;
      const result = await attempt(mine);
      if (result.ok) return enter(result.value, mine);
      if (mine !== turn) return;
      if (!isPassing(result.refusal)) {
        become({ kind: 'refused', refusal: result.refusal });
        return;
      }
      atLeastMs = result.refusal.retryAfterMs ?? 0;
    }
  }

  room.onDisconnected((reason) => {
    // While joining and rejoining, connect() itself says how it went.
    if (state.kind !== 'in-call') return;
    const meaning = meaningOfDisconnect(reason);
    if (meaning === 'rejoin') return void rejoin(state.ticket);
    turn++;
    become({ kind: 'over', ending: meaning, ticket: state.ticket });
  });

  return {
    state: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async join() {
      const mine = ++turn;
      become({ kind: 'joining' });
      const result = await attempt(mine);
      if (result.ok) return enter(result.value, mine);
      if (mine === turn) become({ kind: 'refused', refusal: result.refusal });
    },
    async leave() {
      turn++;
      pause.abort();
      if (state.kind === 'in-call' || state.kind === 'rejoining') become({ kind: 'over', ending: 'left', ticket: state.ticket });
      else become({ kind: 'idle' });
      await room.disconnect();
    },
    retryNow: () => pause.abort(),
    reset() {
      turn++;
      pause.abort();
      become({ kind: 'idle' });
    },
  };
}
