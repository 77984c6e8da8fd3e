// Owns a session's clocks: keepalive, join timeout, loss of media, fresh tickets, quality.
import type { CloseReason } from '../call/close-reason.ts';
import type { Clock } from '../control/ports/clock.ts';
import type { TransportState } from '../control/ports/media-plane.ts';

export interface TimersListener {
  timedOut(reason: Extract<CloseReason, 'connectionLost' | 'joinTimeout'>): void;
  refreshTicket(): void;
  measure(): void;
}

export interface TimersSettings {
  readonly pingTimeoutSeconds: number;
  readonly joinTimeoutMs: number;
}

const refreshTicketEveryMs = 300_000;
const measureEveryMs = 5_000;
/** After the transport itself gave up, which takes it 15 s: the client may be restarting ICE. */
const mediaGraceMs = 10_000;

type TimerName = 'ping' | 'join' | 'media' | 'ticket' | 'quality';

export class SessionTimers {
  readonly #clock: Clock;
  readonly #listener: TimersListener;
  readonly #settings: TimersSettings;
  readonly #cancels = new Map<TimerName, () => void>();
  #heardAtMs = 0;
  #closed = false;

  constructor(clock: Clock, listener: TimersListener, settings: TimersSettings) {
    this.#clock = clock;
    this.#listener = listener;
    this.#settings = settings;
  }

  joined(): void {
    this.heard();
    this.#watchSilence(this.#settings.pingTimeoutSeconds * 1_000);
    this.#start('join', this.#settings.joinTimeoutMs, () => this.#listener.timedOut('joinTimeout'));
    this.#repeat('ticket', refreshTicketEveryMs, () => this.#listener.refreshTicket());
    this.#repeat('quality', measureEveryMs, () => this.#listener.measure());
  }

  /** Any message shows that the client lives. */
  heard(): void {
    this.#heardAtMs = this.#clock.nowMs();
  }

  /** Of the transport that carries the session. */
  mediaState(state: TransportState): void {
    if (state === 'connected') {
      this.#stop('join');
      this.#stop('media');
    } else if (state !== 'new' && !this.#cancels.has('media')) {
      this.#start('media', mediaGraceMs, () => this.#listener.timedOut('connectionLost'));
    }
  }

  close(): void {
    this.#closed = true;
    for (const name of [...this.#cancels.keys()]) this.#stop(name);
  }

  /** One timer for many messages: it looks again when the last message was later than its start. */
  #watchSilence(delayMs: number): void {
    this.#start('ping', delayMs, () => {
      const silentMs = this.#clock.nowMs() - this.#heardAtMs;
      const limitMs = this.#settings.pingTimeoutSeconds * 1_000;
      if (silentMs >= limitMs) this.#listener.timedOut('connectionLost');
      else this.#watchSilence(limitMs - silentMs);
    });
  }

  #repeat(name: TimerName, everyMs: number, run: () => void): void {
    this.#start(name, everyMs, () => {
      run();
      this.#repeat(name, everyMs, run);
    });
  }

  #start(name: TimerName, delayMs: number, run: () => void): void {
    if (this.#closed) return;
    this.#stop(name);
    this.#cancels.set(name, this.#clock.after(delayMs, () => {
      this.#cancels.delete(name);
      run();
    }));
  }

  #stop(name: TimerName): void {
    this.#cancels.get(name)?.();
    this.#cancels.delete(name);
  }
}
