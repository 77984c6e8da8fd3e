// Owns the run of the Matrix ports' conformance suites against real homeservers.
import { isRoomId, isUserId, parse, type RoomId } from '../../src/call/ids.ts';
import { eventually } from '../support/eventually.ts';
import { startFederation, type Federation } from '../support/homeservers.ts';
import { bridgeRegistration, matrixBridge, serverNameOf, type MatrixBridge } from '../support/matrix-bridge.ts';
import type { MatrixUser } from '../support/matrix-user.ts';
import { identityVerifierConformance } from './identity-verifier.conformance.ts';
import { roomDirectoryConformance } from './room-directory.conformance.ts';
import { roomVoiceConformance } from './room-voice.conformance.ts';

describe('the ports of Matrix, with real homeservers', () => {
  const { registration, content } = bridgeRegistration(0);
  let federation: Federation;
  let bridge: MatrixBridge;
  let alice: MatrixUser;
  let bob: MatrixUser;

  before(async () => {
    federation = await startFederation({ size: 2, settings: (index) => (index === 0 ? { registrations: [content] } : {}) });
    bridge = matrixBridge({ registration, change: { access: { servers: [serverNameOf(1)], privateAddresses: ['127.0.0.0/8'] } } });
    await bridge.start();
    [alice, bob] = await Promise.all([federation.user(0, 'alice'), federation.user(1, 'bob')]);
  });
  after(async () => {
    await bridge.stop();
    await federation[Symbol.asyncDispose]();
  });

  const idOf = (user: MatrixUser) => parse(isUserId, user.userId, 'user id');
  async function room(): Promise<RoomId> {
    const id = await alice.createRoom({ invite: [bridge.botUser, bob.userId] });
    await alice.find('the introduction', (event) => event.type === 'm.room.message' && event.sender === bridge.botUser && event.roomId === id);
    return parse(isRoomId, id, 'room id');
  }
  async function whileDown(work: () => Promise<void>): Promise<void> {
    await federation.server(0).stop();
    try {
      await work();
    } finally {
      await federation.server(0).start();
      await eventually(async () => ((await federation.server(0).healthy()) ? undefined : 'the homeserver'));
    }
  }

  describe('RoomDirectory', () => {
    roomDirectoryConformance(() => ({
      directory: bridge.side.directory,
      owner: idOf(alice),
      guest: idOf(bob),
      room,
      roomWithoutBot: async () => parse(isRoomId, await alice.createRoom(), 'room id'),
      join: (where) => bob.join(where, serverNameOf(0)),
      kick: (where) => alice.kick(where, bob.userId),
      setGuestLevel: (where, level) => alice.setPowerLevel(where, bob.userId, level),
      whileDown,
    }));
  });

  describe('RoomVoice', () => {
    roomVoiceConformance(() => ({
      voice: bridge.side.voice,
      owner: idOf(alice),
      room,
      countOf: async (where, text) => {
        const said = (event: { type: string; roomId: string; content: Readonly<Record<string, unknown>> }) => event.type === 'm.room.message' && event.roomId === where && event.content['body'] === text;
        await alice.find('the words', said);
        // Whatever was said twice has come by the time that something later has.
        const marker = await alice.say(where, 'fin');
        await alice.find('the end', (event) => event.eventId === marker);
        return alice.seen(said).length;
      },
      whileDown,
    }));
  });

  describe('IdentityVerifier', () => {
    identityVerifierConformance(() => ({
      verifier: bridge.side.verifier,
      tokens: () =>
        Promise.all(
          [alice, bob].map(async (user) => {
            const { access_token: accessToken, matrix_server_name: matrixServerName } = await user.openIdToken();
            return { token: { accessToken, matrixServerName }, user: idOf(user) };
          }),
        ),
    }));
  });
});
