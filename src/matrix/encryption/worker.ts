// Owns the crypto machine's thread: opens the store, takes orders, reports. A large room's keys would hold up the bridge's own thread.
import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { DeviceClient, RequestError } from './device-client.ts';
import { feed, isDeviceLost } from './feed.ts';
import { installIndexedDB } from './indexeddb/install.ts';
import { KeptIdentity } from './kept-identity.ts';
import { isPanic, Machine, openMachine } from './machine.ts';
import { Notes } from './notes.ts';
import type { Failure, LogDetails, LogLevel, NumberedOrder, Order, Report, ThreadSettings } from './orders.ts';

const settings: ThreadSettings = z.object({ url: z.string(), asToken: z.string(), user: z.string(), file: z.string(), identityFile: z.string() }).parse(workerData);
const notReadyMs = 300;

const report = (message: Report): void => parentPort?.postMessage(message);
const log = (level: LogLevel, message: string, details: LogDetails = {}): void => report({ what: 'log', level, message, details });

try {
  const device = await open();
  report({ what: 'opened', device });
} catch (error) {
  report({ what: 'notOpened', detail: detailOf(error) });
}

async function open(): Promise<string> {
  const kept = new KeptIdentity(settings.identityFile);
  const store = installIndexedDB(settings.file);
  const notes = new Notes(store.sql);
  const closing = new AbortController();
  const client = new DeviceClient({ ...settings, device: notes.device, signal: closing.signal });
  const olm = await openMachine(settings.user, notes.device, kept.storeKey);
  const machine = new Machine(olm, client);
  let isReady = false;
  let feeding: Promise<void> = Promise.resolve();

  // Told when the machine has stored the keys, in the middle of its work: it must not be asked from there.
  olm.registerRoomKeyUpdatedCallback((keys) => {
    const rooms = [...new Set(keys.map(({ roomId }) => roomId.toString()))];
    setImmediate(() => report({ what: 'roomKeys', rooms }));
    return Promise.resolve();
  });

  const close = async (): Promise<void> => {
    closing.abort();
    await feeding;
    olm.close();
    store.close();
  };
  const fail = (error: unknown): void => {
    if (isDeviceLost(error)) report({ what: 'deviceLost' });
    else report({ what: 'broken', detail: detailOf(error) });
  };
  const start = (): void => {
    feeding = feed({ machine, client, notes, kept, log, signal: closing.signal, ready: () => (isReady = true) }).catch(fail);
  };
  const carryOut = async (order: Order): Promise<unknown> => {
    switch (order.what) {
      case 'start':
        start();
        return undefined;
      case 'encrypt':
        if (!isReady) throw new RequestError('the homeserver does not know the bot\'s device yet', { retryAfterMs: notReadyMs });
        return await machine.encrypt(order.message);
      case 'decrypt':
        return await machine.decrypt(order.event);
      case 'changed':
        await machine.take({ changed: order.users });
        return undefined;
      case 'stop':
        await close();
        return undefined;
      default:
        return order satisfies never;
    }
  };

  parentPort?.on('message', (order: NumberedOrder) => {
    carryOut(order).then(
      (answer) => report({ what: 'done', id: order.id, answer }),
      (error: unknown) => {
        report({ what: 'failed', id: order.id, failure: failureOf(error) });
        // After a panic the machine answers nothing any more.
        if (isDeviceLost(error) || isPanic(error)) fail(error);
      },
    );
  });
  return notes.device;
}

function failureOf(error: unknown): Failure {
  return { message: detailOf(error), retryAfterMs: error instanceof RequestError ? error.retryAfterMs : undefined };
}

function detailOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
