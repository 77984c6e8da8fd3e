// Owns a member of an encrypted room by matrix-js-sdk, which Element Web and Tchap Web run on. Its keys are in memory.
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, MatrixEvent, MatrixEventEvent, RoomEvent, type MatrixClient } from 'matrix-js-sdk';
import { AllDevicesIsolationMode, OnlySignedDevicesIsolationMode, type CryptoApi } from 'matrix-js-sdk/lib/crypto-api/index.js';
import * as logging from 'matrix-js-sdk/lib/logger.js';
import { z } from 'zod';
import { clientApi, logIn } from '../../demo/homeservers/client-api.ts';
import type { EncryptedMember, MemberOptions, ReadMessage } from './member.ts';

const relation = z.object({ rel_type: z.string().optional(), event_id: z.string().optional(), 'm.in_reply_to': z.object({ event_id: z.string() }).optional() }).optional();
const message = z.object({ body: z.string(), 'm.new_content': z.object({ body: z.string() }).optional() });
const shields = ['none', 'grey', 'red'] as const;

export interface JsMemberOptions extends MemberOptions {
  /** "Exclude insecure devices" (MSC4153): neither gives keys to, nor shows messages of, devices that their owner has not signed. */
  readonly strict?: boolean;
}

export class JsMember implements EncryptedMember {
  readonly userId: string;
  readonly deviceId: string;
  readonly read = new Map<string, ReadMessage>();
  readonly blind = new Set<string>();
  readonly #client: MatrixClient;
  readonly #crypto: CryptoApi;

  private constructor(client: MatrixClient, crypto: CryptoApi, { userId, deviceId }: MemberOptions) {
    this.#client = client;
    this.#crypto = crypto;
    this.userId = userId;
    this.deviceId = deviceId;
    client.on(MatrixEventEvent.Decrypted, (event: MatrixEvent) => void this.#note(event));
    client.on(RoomEvent.Timeline, (event: MatrixEvent) => void this.#note(event));
  }

  /** Logs in, signs itself, syncs. */
  static async start(options: JsMemberOptions): Promise<JsMember> {
    const { url, userId, password, deviceId, strict = false } = options;
    hush();
    const session = await logIn(clientApi(url), userId, password, deviceId);
    const client = createClient({ baseUrl: url, userId, deviceId, accessToken: session.accessToken, cryptoCallbacks: {}, logger: silent });
    await client.initRustCrypto({ useIndexedDB: false });
    const crypto = client.getCrypto();
    if (crypto === undefined) throw new Error('matrix-js-sdk has no crypto');
    await crypto.bootstrapCrossSigning({
      authUploadDeviceSigningKeys: async (makeRequest) => {
        await makeRequest({ type: 'm.login.password', identifier: { type: 'm.id.user', user: userId }, password });
      },
    });
    const member = new JsMember(client, crypto, options);
    member.setStrict(strict);
    await client.startClient({ initialSyncLimit: 50 });
    return member;
  }

  setStrict(strict: boolean): void {
    this.#crypto.setDeviceIsolationMode(strict ? new OnlySignedDevicesIsolationMode() : new AllDevicesIsolationMode(false));
  }

  async join(room: string): Promise<void> {
    await this.#client.joinRoom(room);
  }

  async say(room: string, body: string, withUsers: readonly string[] = []): Promise<string> {
    const isThere = (user: string): boolean => this.#client.getRoom(room)?.getMember(user)?.membership === 'join';
    while (!withUsers.every(isThere)) await sleep(20);
    return (await this.#client.sendTextMessage(room, body)).event_id;
  }

  async decrypt(raw: Readonly<Record<string, unknown>>): Promise<string | undefined> {
    const event = new MatrixEvent({ ...raw });
    await this.#client.decryptEventIfNeeded(event);
    return event.isDecryptionFailure() ? undefined : message.safeParse(event.getClearContent()).data?.body;
  }

  async devicesOf(userId: string): Promise<ReadonlyMap<string, string>> {
    const devices = (await this.#crypto.getUserDeviceInfo([userId], true)).get(userId);
    return new Map([...(devices?.values() ?? [])].map((device) => [device.deviceId, device.getFingerprint() ?? '']));
  }

  /** The bot's identity changed since it was first seen: clients warn. */
  async identityOf(userId: string): Promise<{ readonly hasIdentity: boolean; readonly needsApproval: boolean }> {
    const status = await this.#crypto.getUserVerificationStatus(userId);
    return { hasIdentity: await this.#crypto.userHasCrossSigningKeys(userId, true), needsApproval: status.needsUserApproval };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.stopClient();
    await Promise.resolve();
  }

  async #note(event: MatrixEvent): Promise<void> {
    const eventId = event.getId() ?? '';
    const sender = event.getSender() ?? '';
    if (sender === this.userId || event.isBeingDecrypted()) return;
    if (event.isDecryptionFailure()) {
      this.blind.add(eventId);
      return;
    }
    const content = message.safeParse(event.getOriginalContent());
    if (event.getType() !== 'm.room.message' || !content.success) return;
    const refersTo = relation.parse(event.getWireContent()['m.relates_to']);
    const info = event.isEncrypted() ? await this.#crypto.getEncryptionInfoForEvent(event) : null;
    this.blind.delete(eventId);
    this.read.set(eventId, {
      eventId,
      room: event.getRoomId() ?? '',
      sender,
      body: content.data.body,
      newBody: content.data['m.new_content']?.body,
      relatesTo: { replaces: refersTo?.rel_type === 'm.replace' ? refersTo.event_id : undefined, answers: refersTo?.['m.in_reply_to']?.event_id },
      encrypted: event.isEncrypted(),
      shield: info === null ? undefined : shields[info.shieldColour],
    });
  }
}

/** Parts of the library write to the console by themselves, through loggers that they make of this one. */
function hush(): void {
  const library: unknown = Reflect.get(logging, 'logger');
  if (typeof library !== 'object' || library === null) return;
  const setLevel: unknown = Reflect.get(library, 'setLevel');
  if (typeof setLevel === 'function') Reflect.apply(setLevel, library, ['silent', false]);
  Reflect.set(library, 'getChild', () => silent);
}

const ignore = (): void => undefined;
const silent = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore, getChild: () => silent };
