// Owns who the bot is to other clients: its device of keys, and the cross-signing identity that vouches for it.
import { DeviceId, RequestType, UserId, type OlmMachine } from '@matrix-org/matrix-sdk-crypto-wasm';
import { z } from 'zod';
import { RequestError, type DeviceClient } from './device-client.ts';
import type { KeptIdentity } from './kept-identity.ts';
import type { Machine } from './machine.ts';
import { devicePrefix, type Notes } from './notes.ts';
import type { LogDetails, LogLevel } from './orders.ts';

export interface IdentityParts {
  readonly machine: Machine;
  readonly client: DeviceClient;
  readonly notes: Notes;
  readonly kept: KeptIdentity;
  readonly log: (level: LogLevel, message: string, details?: LogDetails) => void;
}

/** The homeserver does not know the device whose keys we have. */
export class DeviceLost extends Error {
  override readonly name = 'DeviceLost';
}

const ownKeys = z.looseObject({ master_keys: z.record(z.string(), z.unknown()).optional() });
const devices = z.object({ devices: z.array(z.object({ device_id: z.string() })) });
const deviceName = 'Viaduc';

/**
 * Post: the homeserver has the device and its keys, and the bot's identity has signed it. Idempotent; may be cut off anywhere and begun again.
 * No password is asked of an application service (MSC4190). @throws RequestError, DeviceLost
 */
export async function establishIdentity(parts: IdentityParts): Promise<void> {
  const { machine, notes } = parts;
  await ensureDevice(parts);
  await machine.flush();
  notes.setPublished();
  if (await isSigned(parts)) return;
  await sign(parts);
  await machine.flush();
  await removeLostDevices(parts);
}

async function ensureDevice({ client, notes }: IdentityParts): Promise<void> {
  const path = `/devices/${encodeURIComponent(client.device)}`;
  try {
    await client.request('GET', path, { asDevice: false });
  } catch (error) {
    if (!(error instanceof RequestError) || error.status !== 404) throw error;
    // Other keys under an old name would look like an attack.
    if (notes.isPublished) throw new DeviceLost(`the homeserver has forgotten the device ${client.device}`);
    await client.request('PUT', path, { body: { display_name: deviceName }, asDevice: false });
  }
}

async function isSigned({ machine, client }: IdentityParts): Promise<boolean> {
  const device = await ownDevice(machine.olm, client);
  return device?.isCrossSignedByOwner() === true;
}

async function sign(parts: IdentityParts): Promise<void> {
  const { kept, log } = parts;
  const published = ownKeys.parse(await askOwnKeys(parts)).master_keys?.[parts.client.user] !== undefined;
  if (published && kept.seeds !== undefined && (await signWithSeeds(parts))) log('info', 'a new device of the bot joins its identity', { device: parts.client.device });
  else await makeIdentity(parts, published);
  await parts.machine.olm.markRequestAsSent('own keys', RequestType.KeysQuery, JSON.stringify(await askOwnKeys(parts)));
}

/** False: the kept seeds are not of the identity that the homeserver knows. */
async function signWithSeeds({ machine, client, kept, log }: IdentityParts): Promise<boolean> {
  const { seeds } = kept;
  if (seeds === undefined) return false;
  try {
    await machine.olm.importCrossSigningKeys(seeds.master, seeds.selfSigning, seeds.userSigning);
  } catch (error) {
    log('warn', 'the kept identity is not the one that the homeserver knows: the bot gets a new one', { detail: String(error) });
    return false;
  }
  const signature = await (await ownDevice(machine.olm, client))?.verify();
  if (signature !== undefined) await machine.send(signature);
  return true;
}

async function makeIdentity({ machine, client, kept, log }: IdentityParts, published: boolean): Promise<void> {
  const { hasMaster } = await machine.olm.crossSigningStatus();
  const requests = await machine.olm.bootstrapCrossSigning(published || !hasMaster);
  const made = await machine.olm.exportCrossSigningKeys();
  if (made?.masterKey === undefined || made.self_signing_key === undefined || made.userSigningKey === undefined) throw new Error('the crypto machine has made no identity');
  // Kept before it is published: what others have seen must never be lost.
  kept.keep({ master: made.masterKey, selfSigning: made.self_signing_key, userSigning: made.userSigningKey });
  await client.request('POST', '/keys/device_signing/upload', { body: JSON.parse(requests.uploadSigningKeysRequest.body) });
  await machine.send(requests.uploadSignaturesRequest);
  if (published) log('warn', 'the bot has a new identity in place of the one that people know: their clients will say so', { user: client.user });
  else log('info', 'the bot has an identity', { user: client.user, device: client.device });
}

function askOwnKeys({ client }: IdentityParts): Promise<unknown> {
  return client.request('POST', '/keys/query', { body: { device_keys: { [client.user]: [] } } });
}

function ownDevice(olm: OlmMachine, { user, device }: DeviceClient): ReturnType<OlmMachine['getDevice']> {
  return olm.getDevice(new UserId(user), new DeviceId(device));
}

/** Nobody will ever read there again. */
async function removeLostDevices({ client, log }: IdentityParts): Promise<void> {
  const known = devices.parse(await client.request('GET', '/devices', { asDevice: false })).devices.map(({ device_id: id }) => id);
  const lost = known.filter((id) => id.startsWith(devicePrefix) && id !== client.device);
  if (lost.length === 0) return;
  await client.request('POST', '/delete_devices', { body: { devices: lost }, asDevice: false });
  log('info', 'earlier devices of the bot removed', { devices: lost });
}
