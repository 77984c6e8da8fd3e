// Owns a Matrix side with a device of its own, as it is after each start from the same folder, and members of other clients.
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RoomId } from '../../src/call/ids.ts';
import { isRoomId, isUserId, parse } from '../../src/call/ids.ts';
import type { Homeserver } from '../../src/demo/homeservers/homeserver.ts';
import { organisationPorts } from '../../src/demo/organisations.ts';
import { JsMember } from '../../src/drill/crypto/js-member.ts';
import type { MemberOptions } from '../../src/drill/crypto/member.ts';
import { NioMember } from '../../src/drill/crypto/nio-member.ts';
import { silentLogger, type Logger } from '../../src/log/logger.ts';
import { openEncryption } from '../../src/matrix/encryption/encryption.ts';
import type { Registration } from '../../src/matrix/registration.ts';
import { openDatabase } from '../../src/store/database.ts';
import { realClock } from './clocks.ts';
import { matrixBridge, serverNameOf, type MatrixBridge, type MatrixBridgeOptions } from './matrix-bridge.ts';
import { recordingControl } from './recording-control.ts';
import { specBasePort, specRun } from './run.ts';

export interface EncryptedBridgeOptions {
  readonly index?: number;
  readonly registration: Registration;
  readonly folder: string;
  readonly keyWaitMs?: number;
  readonly neighbourBots?: MatrixBridgeOptions['change'];
  readonly log?: Logger;
}

export async function folderFor(name: string): Promise<string> {
  return mkdtempSync(join((await specRun()).folder, `${name}-`));
}

/** Started; what is said is sent until it is sent. Disposing closes it as a process that ends does. */
export async function encryptedBridge({ index = 0, registration, folder, keyWaitMs = 20_000, neighbourBots, log = silentLogger }: EncryptedBridgeOptions): Promise<MatrixBridge> {
  const user = parse(isUserId, `@visio:${serverNameOf(index)}`, 'user id');
  const encryption = await openEncryption({ url: `http://127.0.0.1:${organisationPorts(specBasePort(), index).client}`, asToken: registration.asToken, user, folder, clock: realClock, log });
  const database = openDatabase(join(folder, 'viaduc.sqlite'));
  const control = recordingControl();
  const bridge = matrixBridge({ index, registration, encryption, database, control, keyWaitMs, log, ...(neighbourBots && { change: neighbourBots }) });
  let open = true;
  const saying: Promise<void>[] = [];
  control.onSay = ({ room, content, key }) => {
    saying.push(deliver(room, content, key));
  };
  const deliver = async (room: RoomId, content: Readonly<Record<string, unknown>>, key: string): Promise<void> => {
    while (open && (await bridge.side.voice.message(room, content, key)).kind === 'later') await sleep(100);
  };
  const stop = async (): Promise<void> => {
    if (!open) return;
    open = false;
    await bridge.stop();
    await Promise.all(saying);
    await encryption.close();
    database.close();
  };
  await bridge.start();
  return { ...bridge, stop, [Symbol.asyncDispose]: stop };
}

/** An account, without any client yet. */
export async function account(homeserver: Homeserver, localpart: string): Promise<Omit<MemberOptions, 'deviceId'>> {
  const password = `password of ${localpart}`;
  await homeserver.register(localpart, password);
  return { url: homeserver.url, userId: `@${localpart}:${homeserver.serverName}`, password };
}

export function jsMember(options: Omit<MemberOptions, 'deviceId'>, deviceId: string, strict = false): Promise<JsMember> {
  return JsMember.start({ ...options, deviceId, strict });
}

export async function nioMember(options: Omit<MemberOptions, 'deviceId'>, deviceId: string, rotation?: number): Promise<NioMember> {
  return NioMember.start({ ...options, deviceId, folder: await folderFor('nio'), ...(rotation !== undefined && { rotation }) });
}

export const encryptionState = (rules: Readonly<Record<string, unknown>> = {}) => ({ type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2', ...rules } });

export function roomIdOf(text: string): RoomId {
  return parse(isRoomId, text, 'room id');
}
