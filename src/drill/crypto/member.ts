// Owns what a member of an encrypted room is to a drill or a spec, whatever client it is.
import { setTimeout as sleep } from 'node:timers/promises';

export interface ReadMessage {
  readonly eventId: string;
  readonly room: string;
  readonly sender: string;
  readonly body: string;
  /** Of an edit: the text that replaces. */
  readonly newBody: string | undefined;
  /** What it refers to: the message that it edits or answers. */
  readonly relatesTo: { readonly replaces?: string | undefined; readonly answers?: string | undefined };
  /** It came encrypted. */
  readonly encrypted: boolean;
  /** What the client shows beside it: none is what people expect; undefined: the client tells nothing. */
  readonly shield: string | undefined;
}

export interface MemberOptions {
  /** The homeserver's client API. */
  readonly url: string;
  readonly userId: string;
  readonly password: string;
  readonly deviceId: string;
}

export interface EncryptedMember extends AsyncDisposable {
  readonly userId: string;
  readonly deviceId: string;
  /** What it could read of others, by event. */
  readonly read: ReadonlyMap<string, ReadMessage>;
  /** What it could not read so far. */
  readonly blind: ReadonlySet<string>;
  join(room: string): Promise<void>;
  /** A text, encrypted for those in the room; first waits until it knows that all of `withUsers` are there. @returns its event id */
  say(room: string, body: string, withUsers?: readonly string[]): Promise<string>;
  /** Tries an event that somebody hands over. @returns the text; undefined: it cannot */
  decrypt(event: Readonly<Record<string, unknown>>): Promise<string | undefined>;
  /** What it knows of another's devices: fingerprints by id. */
  devicesOf(userId: string): Promise<ReadonlyMap<string, string>>;
}

const findMs = 20_000;

/** The first message read that fits, also of those read already. @throws in words when none comes */
export async function findRead(member: EncryptedMember, what: string, test: (message: ReadMessage) => boolean, timeoutMs = findMs): Promise<ReadMessage> {
  const untilMs = performance.now() + timeoutMs;
  while (true) {
    const found = [...member.read.values()].find(test);
    if (found !== undefined) return found;
    await sleep(20);
    if (performance.now() > untilMs) throw new Error(`${member.userId} has not read ${what} within ${timeoutMs / 1000} s (could not read ${member.blind.size} events; read last: ${[...member.read.values()].at(-1)?.body ?? 'nothing'})`);
  }
}
