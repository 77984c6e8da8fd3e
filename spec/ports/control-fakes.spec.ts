// Owns the run of the conformance suites against the stand-ins that the specs of control/ use.
import type { RoomId } from '../../src/call/ids.ts';
import { alice, bob, powerLevels, roomId } from '../support/builders.ts';
import { virtualClock } from '../support/clocks.ts';
import { directoryOf, voiceOf, type Said, type World } from '../support/control-env.ts';
import { roomDirectoryConformance } from './room-directory.conformance.ts';
import { roomVoiceConformance } from './room-voice.conformance.ts';

describe('the stand-ins of the specs of control/', () => {
  let rooms = 0;
  const world: World = { members: new Map(), levels: powerLevels(), homeserverDown: false, mediaFails: false, pipesFail: false, deliveries: [] };
  const said: Said[] = [];
  const directory = directoryOf(world);
  const voice = voiceOf(world, said, virtualClock());

  const newRoom = (): RoomId => roomId(`!room${++rooms}:interieur.example.org`);
  const room = (): Promise<RoomId> => {
    const id = newRoom();
    world.members.set(id, new Set([alice]));
    world.levels = powerLevels();
    return Promise.resolve(id);
  };
  const change = (work: () => void): Promise<void> => {
    work();
    return Promise.resolve();
  };
  async function whileDown(work: () => Promise<void>): Promise<void> {
    world.homeserverDown = true;
    await work();
    world.homeserverDown = false;
  }

  describe('RoomDirectory', () => {
    roomDirectoryConformance(() => ({
      directory,
      owner: alice,
      guest: bob,
      room,
      roomWithoutBot: () => Promise.resolve(newRoom()),
      join: (where) => change(() => world.members.get(where)?.add(bob)),
      kick: (where) => change(() => world.members.get(where)?.delete(bob)),
      setGuestLevel: (_where, level) => change(() => (world.levels = powerLevels({ users: [[bob, level]] }))),
      whileDown,
    }));
  });

  describe('RoomVoice', () => {
    // The stand-in keeps no texts: a room is only spoken to about one thing in each case.
    roomVoiceConformance(() => ({ voice, owner: alice, room, countOf: (where) => Promise.resolve(said.filter(({ kind, txnId }) => kind === 'message' && txnId.startsWith(where)).length), whileDown }));
  });
});
