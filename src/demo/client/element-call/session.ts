// Owns the Matrix client of the page that hosts Element Call: one device, with encryption, in step with its room.
import { ClientEvent, createClient, type MatrixClient, type Room, SyncState } from 'matrix-js-sdk';
import type { Parameters } from './parameters.ts';

const fewEvents = 30;

/** Returns when the room is there. Keys are in memory: each page is a device of its own. */
export async function openSession({ homeserver, user, device, token, room }: Parameters): Promise<{ readonly client: MatrixClient; readonly room: Room }> {
  const client = createClient({ baseUrl: homeserver, userId: user, deviceId: device, accessToken: token });
  await client.initRustCrypto({ useIndexedDB: false });
  const ready = Promise.withResolvers<undefined>();
  client.on(ClientEvent.Sync, (state) => {
    if (state === SyncState.Prepared || state === SyncState.Syncing) ready.resolve(undefined);
  });
  await client.startClient({ initialSyncLimit: fewEvents });
  // The session is the widget's business.
  client.matrixRTC.stop();
  await ready.promise;
  const found = client.getRoom(room);
  if (found === null) throw new Error(`${user} is not in ${room}`);
  return { client, room: found };
}
