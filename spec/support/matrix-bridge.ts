// Owns a Matrix side that runs against a real homeserver, with notes in place of calls.
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { isServerName, parse } from '../../src/call/ids.ts';
import { openListener, type Listener } from '../../src/http/listener.ts';
import { silentLogger, type Logger } from '../../src/log/logger.ts';
import { makeRegistration } from '../../src/matrix/make-registration.ts';
import type { Encryption } from '../../src/matrix/encryption/encryption.ts';
import { createMatrixSide, type MatrixSide, type MatrixSideOptions } from '../../src/matrix/matrix-side.ts';
import { parseRegistration, type Registration } from '../../src/matrix/registration.ts';
import { background } from '../../src/util/background.ts';
import { hostOf, organisationPorts, organisations } from '../../src/demo/organisations.ts';
import { openDatabase, type Database } from '../../src/store/database.ts';
import { createEncryptedRooms } from '../../src/store/encrypted-rooms.ts';
import { createEventInbox } from '../../src/store/event-inbox.ts';
import { realClock } from './clocks.ts';
import { eventually } from './eventually.ts';
import { recordingControl, type RecordingControl } from './recording-control.ts';
import { specBasePort } from './run.ts';

export interface BridgeRegistration {
  readonly registration: Registration;
  /** For the homeserver's configuration. */
  readonly content: Readonly<Record<string, unknown>>;
}

const botLocalpart = 'visio';

export function bridgeRegistration(index: number, change: Readonly<Record<string, unknown>> = {}): BridgeRegistration {
  const serverName = serverNameOf(index);
  const text = makeRegistration({ serverName, url: appserviceUrl(index), botLocalpart });
  const registration = parseRegistration(text, { serverName, botLocalpart });
  if (!registration.ok) throw new Error(registration.error);
  return { registration: registration.value, content: { ...z.record(z.string(), z.unknown()).parse(parseYaml(text)), ...change } };
}

export interface MatrixBridge extends AsyncDisposable {
  readonly side: MatrixSide;
  readonly control: RecordingControl;
  readonly botUser: string;
  /** Opens the listener and works; messages that control/ is asked to say are sent at once. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface MatrixBridgeOptions {
  readonly index?: number;
  readonly registration: Registration;
  readonly change?: Partial<Pick<MatrixSideOptions, 'access' | 'clock' | 'homeserver' | 'neighbourBots'>>;
  readonly database?: Database;
  /** Opened and closed by who makes it. */
  readonly encryption?: Encryption;
  readonly keyWaitMs?: number;
  readonly control?: RecordingControl;
  readonly log?: Logger;
}

export function matrixBridge({ index = 0, registration, change, encryption, keyWaitMs, database = openDatabase(':memory:'), control = recordingControl(), log = silentLogger }: MatrixBridgeOptions): MatrixBridge {
  const serverName = serverNameOf(index);
  const ports = organisationPorts(specBasePort(), index);
  const side = createMatrixSide({
    neighbourBots: [],
    homeserver: { serverName, url: `http://127.0.0.1:${ports.client}` },
    appservice: registration,
    bot: { localpart: botLocalpart, displayName: 'Visio' },
    access: { servers: [], privateAddresses: ['127.0.0.0/8'] },
    speech: { publicUrl: `http://interieur.localhost:${ports.page}`, organisations: new Map(), prefixes: ['!visio', '!call'], defaultLanguage: 'fr' },
    encryption,
    encryptedRooms: createEncryptedRooms(database),
    ...(keyWaitMs !== undefined && { keyWaitMs }),
    inbox: createEventInbox(database),
    clock: realClock,
    log,
    ...change,
  });
  let listener: Listener | undefined;
  control.onSay = ({ room, content, key }) => background(log, 'say', side.voice.message(room, content, key));
  const stop = async (): Promise<void> => {
    await listener?.close();
    listener = undefined;
    await side.close();
  };
  return {
    side,
    control,
    botUser: side.botUser,
    start: async () => {
      listener = await openListener({ name: 'appservice', host: '127.0.0.1', port: ports.appservice, handle: side.handle });
      side.start(control);
      await eventually(() => (side.isConnected() ? undefined : 'the bridge is not connected to its homeserver'), 20_000);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

export function serverNameOf(index: number) {
  const organisation = organisations[index];
  if (organisation === undefined) throw new Error(`there is no organisation ${index}`);
  return parse(isServerName, `${hostOf(organisation)}:${organisationPorts(specBasePort(), index).federation}`, 'server name');
}

export function appserviceUrl(index: number): string {
  return `http://127.0.0.1:${organisationPorts(specBasePort(), index).appservice}`;
}
