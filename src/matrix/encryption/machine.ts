// Owns the crypto machine: what it takes in, what it wants sent, and messages in and out of cipher.
import {
  CollectStrategy,
  DecryptionSettings,
  DeviceId,
  DeviceLists,
  EncryptionSettings,
  KeysClaimRequest,
  KeysQueryRequest,
  KeysUploadRequest,
  OlmMachine,
  DecryptionErrorCode,
  MegolmDecryptionError,
  RequestType,
  RoomId,
  RoomMessageRequest,
  SignatureUploadRequest,
  StoreHandle,
  ToDeviceRequest,
  TrustRequirement,
  UserId,
  initAsync,
} from '@matrix-org/matrix-sdk-crypto-wasm';
import { z } from 'zod';
import type { DeviceClient } from './device-client.ts';
import type { Decryption, PlainMessage, RoomRules } from './orders.ts';
import { inTurn } from './serial.ts';

type MachineRequest = Awaited<ReturnType<OlmMachine['outgoingRequests']>>[number];

/** What /sync tells the machine; left out: unchanged. */
export interface Changes {
  readonly toDevice?: readonly unknown[];
  readonly changed?: readonly string[];
  readonly left?: readonly string[];
  readonly keyCounts?: Readonly<Record<string, number>> | undefined;
  readonly unusedFallbackKeys?: readonly string[] | undefined;
}

const storeName = 'viaduc';
const plainEvent = z.object({ type: z.string(), content: z.record(z.string(), z.unknown()) });
const encryptedContent = z.record(z.string(), z.unknown());
const minimumRotationMs = 60_000;

/** Opens what is in this thread's IndexedDB. @throws when that was written with another key, or for another device */
export async function openMachine(user: string, device: string, storeKey: Uint8Array): Promise<OlmMachine> {
  await initAsync();
  const machine = await OlmMachine.initFromStore(new UserId(user), new DeviceId(device), await StoreHandle.openWithKey(storeName, storeKey));
  // There is no other device of ours to ask, and none to give to.
  machine.roomKeyRequestsEnabled = false;
  machine.roomKeyForwardingEnabled = false;
  return machine;
}

export class Machine {
  readonly olm: OlmMachine;
  readonly #client: DeviceClient;
  readonly #flushing = inTurn();
  readonly #claiming = inTurn();
  readonly #taking = inTurn();
  readonly #rooms = new Map<string, ReturnType<typeof inTurn>>();

  constructor(olm: OlmMachine, client: DeviceClient) {
    this.olm = olm;
    this.#client = client;
  }

  /** Post: the changes are in the store. What was taken before is recognised. */
  take({ toDevice = [], changed = [], left = [], keyCounts, unusedFallbackKeys }: Changes): Promise<void> {
    return this.#taking(async () => {
      const events = JSON.stringify(toDevice);
      const lists = new DeviceLists(usersOf(changed), usersOf(left));
      const fallback = unusedFallbackKeys === undefined ? undefined : new Set(unusedFallbackKeys);
      // To the first method no counts mean "none left", and it would make 50 more keys each time.
      if (keyCounts === undefined) await this.olm.receiveSyncChangesMsc4186(events, lists, new Map(), fallback, trust());
      else await this.olm.receiveSyncChanges(events, lists, new Map(Object.entries(keyCounts)), fallback, trust());
    });
  }

  /** Sends what the machine wants sent. @throws RequestError */
  flush(): Promise<void> {
    return this.#flushing(async () => {
      for (const request of await this.olm.outgoingRequests()) await this.send(request);
    });
  }

  /** Requests without an id are not waited for by the machine. @throws RequestError */
  async send(request: MachineRequest): Promise<void> {
    const answer = await this.#deliver(request);
    if (request.id !== undefined) await this.olm.markRequestAsSent(request.id, request.type, JSON.stringify(answer));
  }

  /**
   * Shares the room's key with who has not got it, then encrypts. What leaves is in the store before: a crash at any point burns an index
   * and never uses one twice. @throws RequestError
   */
  encrypt({ room, type, content, audience, rules }: PlainMessage): Promise<Readonly<Record<string, unknown>>> {
    const inRoom = this.#rooms.get(room) ?? inTurn();
    this.#rooms.set(room, inRoom);
    return inRoom(async () => {
      await this.olm.updateTrackedUsers(usersOf(audience));
      await this.flush();
      await this.#claiming(async () => {
        const claim = await this.olm.getMissingSessions(usersOf(audience));
        if (claim !== null) await this.send(claim);
      });
      for (const share of await this.olm.shareRoomKey(new RoomId(room), usersOf(audience), settingsFor(rules))) await this.send(share);
      return encryptedContent.parse(JSON.parse(await this.olm.encryptRoomEvent(new RoomId(room), type, JSON.stringify(content))));
    });
  }

  /** @param event as the homeserver told it */
  async decrypt(event: Readonly<Record<string, unknown>>): Promise<Decryption> {
    try {
      const room = new RoomId(z.string().parse(event['room_id']));
      const decrypted = await this.olm.decryptRoomEvent(JSON.stringify(event), room, trust());
      return { kind: 'clear', ...plainEvent.parse(JSON.parse(decrypted.event)) };
    } catch (error) {
      if (error instanceof MegolmDecryptionError) return unreadable(error);
      if (isPanic(error)) throw error;
      return { kind: 'refused', detail: error instanceof Error ? error.message : String(error) };
    }
  }

  #deliver(request: MachineRequest): Promise<unknown> {
    const body: unknown = JSON.parse(request.body);
    const post = (path: string) => this.#client.request('POST', path, { body });
    if (request instanceof ToDeviceRequest) return this.#client.request('PUT', `/sendToDevice/${encodeURIComponent(request.event_type)}/${encodeURIComponent(request.txn_id)}`, { body });
    if (request instanceof KeysUploadRequest) return post('/keys/upload');
    if (request instanceof KeysQueryRequest) return post('/keys/query');
    if (request instanceof KeysClaimRequest) return post('/keys/claim');
    if (request instanceof SignatureUploadRequest) return post('/keys/signatures/upload');
    if (request instanceof RoomMessageRequest) return this.#client.request('PUT', `/rooms/${encodeURIComponent(request.room_id)}/send/${encodeURIComponent(request.event_type)}/${encodeURIComponent(request.txn_id)}`, { body });
    return Promise.reject(new Error(`the crypto machine wants a request that the bot does not make (${RequestType[request.type]})`));
  }
}

/** The machine cannot be used after that. */
export function isPanic(error: unknown): boolean {
  return error instanceof Error && error.name === 'RuntimeError';
}

function unreadable(error: MegolmDecryptionError): Decryption {
  const detail = error.description;
  if (error.maybe_withheld !== undefined) return { kind: 'withheld', detail: error.maybe_withheld };
  const mayCome = error.code === DecryptionErrorCode.MissingRoomKey || error.code === DecryptionErrorCode.UnknownMessageIndex;
  return { kind: mayCome ? 'noKey' : 'refused', detail };
}

// Objects that are handed to the machine by value are gone afterwards: new ones each time.

function usersOf(names: readonly string[]): UserId[] {
  return names.map((name) => new UserId(name));
}

function trust(): DecryptionSettings {
  return new DecryptionSettings(TrustRequirement.Untrusted);
}

function settingsFor({ rotationPeriodMs, rotationPeriodMessages }: RoomRules): EncryptionSettings {
  const settings = new EncryptionSettings();
  settings.sharingStrategy = CollectStrategy.allDevices();
  // Microseconds.
  if (rotationPeriodMs !== undefined) settings.rotationPeriod = BigInt(Math.max(minimumRotationMs, rotationPeriodMs)) * 1000n;
  if (rotationPeriodMessages !== undefined) settings.rotationPeriodMessages = BigInt(Math.max(1, rotationPeriodMessages));
  return settings;
}
