// Owns one person's connection to their homeserver: login, the /sync loop, and what they do in the room.
import { clientApi, type ClientApi, MatrixError, type MatrixSession } from '../../homeservers/client-api.ts';
import type { Column } from '../demo-info.ts';
import { emptyRoom, type Room, withEarlier, withSync } from './room.ts';
import { openIdSchema, pageSchema, syncSchema } from './schemas.ts';
import { forgetSession, openSession } from './session.ts';
import { timelineItems } from './timeline-items.ts';

export interface Outgoing {
  readonly txnId: string;
  readonly body: string;
  readonly failed: boolean;
}

export interface ClientState {
  readonly status: 'connecting' | 'live' | 'offline';
  readonly session: MatrixSession | undefined;
  readonly room: Room;
  /** Sent, but not yet seen in the timeline. */
  readonly outgoing: readonly Outgoing[];
  /** Why the last thing asked for was not done, in the homeserver's words. */
  readonly fault: string | undefined;
}

export type OpenIdToken = ReturnType<typeof openIdSchema.parse>;

const fewItems = 15;
const longPollMs = 25_000;
const retryMs = 1000;
const encode = encodeURIComponent;

export class RoomClient {
  readonly column: Column;
  readonly #roomId: string;
  readonly #listeners = new Set<() => void>();
  readonly #stop = new AbortController();
  #state: ClientState;
  #api: ClientApi | undefined;

  constructor(column: Column, roomId: string) {
    this.column = column;
    this.#roomId = roomId;
    this.#state = { status: 'connecting', session: undefined, room: emptyRoom(roomId), outgoing: [], fault: undefined };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly state = (): ClientState => this.#state;

  /** Runs until `stop`; failures are tried again and shown as `offline`. */
  async run(): Promise<void> {
    while (!this.#stopped()) {
      try {
        const session = await openSession(this.column);
        this.#api = clientApi(this.column.homeserverUrl, session.accessToken);
        this.#set({ session });
        await this.#syncFor(this.#api, session);
      } catch (error) {
        if (this.#stopped()) return;
        if (error instanceof MatrixError && error.errcode === 'M_UNKNOWN_TOKEN') forgetSession(this.column);
        else this.#set({ status: 'offline' });
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }

  stop(): void {
    this.#stop.abort();
  }

  async say(body: string): Promise<void> {
    await this.#deliver({ txnId: crypto.randomUUID(), body, failed: false });
  }

  async sayAgain(message: Outgoing): Promise<void> {
    await this.#deliver({ ...message, failed: false });
  }

  async join(): Promise<void> {
    await this.#attempt(() => this.#connected().tell('POST', `/_matrix/client/v3/join/${encode(this.#roomId)}`));
  }

  async kick(userId: string): Promise<void> {
    await this.#attempt(() => this.#connected().tell('POST', this.#path('kick'), { user_id: userId }));
  }

  async invite(userId: string): Promise<void> {
    await this.#attempt(() => this.#connected().tell('POST', this.#path('invite'), { user_id: userId }));
  }

  forgetFault(): void {
    this.#set({ fault: undefined });
  }

  /** Proves to a widget's server who this person is (MSC1960). */
  async openIdToken(): Promise<OpenIdToken> {
    const { session } = this.#state;
    return this.#connected().ask({ method: 'POST', path: `/_matrix/client/v3/user/${encode(session?.userId ?? '')}/openid/request_token`, body: {}, answer: openIdSchema });
  }

  async loadEarlier(): Promise<void> {
    await this.#attempt(() => this.#loadEarlier());
  }

  async #loadEarlier(): Promise<void> {
    const { earlier } = this.#state.room;
    if (earlier === undefined) return;
    const page = await this.#connected().ask({ method: 'GET', path: this.#path(`messages?dir=b&limit=60&from=${encode(earlier)}`), answer: pageSchema });
    this.#set({ room: withEarlier(this.#state.room, page.chunk, page.chunk.length === 0 ? undefined : page.end) });
  }

  async #syncFor(api: ClientApi, session: MatrixSession): Promise<void> {
    // No filter by room: Synapse then leaves out the creation event of rooms of version 12, which does not name its room.
    const filter = JSON.stringify({ presence: { not_types: ['*'] }, room: { include_leave: true, timeline: { limit: 60 }, ephemeral: { not_types: ['*'] } } });
    let since: string | undefined;
    for (;;) {
      const query = new URLSearchParams({ filter, timeout: since === undefined ? '0' : String(longPollMs), ...(since !== undefined && { since }) });
      const answer = await api.ask({ method: 'GET', path: `/_matrix/client/v3/sync?${query.toString()}`, answer: syncSchema, signal: this.#stop.signal });
      const room = withSync(since === undefined ? emptyRoom(this.#roomId) : this.#state.room, answer, session.userId);
      const seen = new Set(room.timeline.map((event) => event.unsigned?.transaction_id));
      this.#set({ status: 'live', room, outgoing: this.#state.outgoing.filter(({ txnId }) => !seen.has(txnId)) });
      // A call's notice may be older than its many edits: look back until there is something to read.
      if (since === undefined) for (let page = 0; page < 4 && timelineItems(this.#state.room).length < fewItems; page++) await this.#loadEarlier();
      since = answer.next_batch;
    }
  }

  async #deliver(message: Outgoing): Promise<void> {
    const others = this.#state.outgoing.filter(({ txnId }) => txnId !== message.txnId);
    this.#set({ outgoing: [...others, message] });
    try {
      await this.#connected().tell('PUT', this.#path(`send/m.room.message/${message.txnId}`), { msgtype: 'm.text', body: message.body });
    } catch {
      this.#set({ outgoing: this.#state.outgoing.map((item) => (item.txnId === message.txnId ? { ...item, failed: true } : item)) });
    }
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#set({ fault: undefined });
    } catch (error) {
      this.#set({ fault: error instanceof Error ? error.message : String(error) });
    }
  }

  #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  #connected(): ClientApi {
    if (this.#api === undefined) throw new Error('not logged in yet');
    return this.#api;
  }

  #path(rest: string): string {
    return `/_matrix/client/v3/rooms/${encode(this.#roomId)}/${rest}`;
  }

  #set(change: Partial<ClientState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}
