// Specifies calls where any server may be a neighbour: whose bridges are looked for, who is waited for at the door, who counts as a neighbour.
import assert from 'node:assert/strict';
import { isEventId, parse, serverOf, type ServerName } from '../../src/call/ids.ts';
import type { PeerListener, PeerLinks, PeerMessage } from '../../src/control/ports/peer-links.ts';
import { alice, bob, participantId, serverName, theRoom, userId } from '../support/builders.ts';
import { controlEnv, settled, type ControlEnv } from '../support/control-env.ts';

const interieur = serverName('interieur.example.org');
const finances = serverOf(bob);
const defense = serverName('defense.example.org');
const dan = userId(`@dan:${defense}`);

describe('calls where any server may be a neighbour', () => {
  let env: ControlEnv;
  let listener: PeerListener;
  let found: Set<ServerName>;
  let sought: Set<ServerName>;
  let seeks: ServerName[][];
  let sent: { readonly to: ServerName; readonly message: PeerMessage }[];
  const envOf = (acceptsAny: boolean): ControlEnv => {
    [found, sought, seeks, sent] = [new Set(), new Set(), [], []];
    const links = (told: PeerListener): PeerLinks => {
      listener = told;
      return {
        acceptsAny,
        neighbours: () => [...found],
        isNeighbour: (server) => found.has(server),
        seek: (servers) => void seeks.push([...servers].toSorted()),
        isSought: (server) => sought.has(server),
        want: () => undefined,
        send: (to, message) => {
          sent.push({ to, message });
          return true;
        },
        status: () => [],
        strangers: () => ({}),
      };
    };
    env = controlEnv([[theRoom, [alice, bob, dan]]], { server: interieur, links });
    return env;
  };
  afterEach(() => env.close());

  const start = async (): Promise<void> => {
    assert((await env.bridge.commands.start(theRoom, alice, parse(isEventId, '$start', 'event id'))).ok);
    await settled();
  };
  const admit = (user: string) => env.bridge.admission.admit({ proof: { kind: 'openId', token: { accessToken: user, matrixServerName: 'any' } }, at: { kind: 'room', room: theRoom }, device: 'DEV' });
  const up = async (server: ServerName): Promise<void> => {
    found.add(server);
    listener.linkUp(server);
    await settled();
  };
  const calls = () => sent.map(({ to, message }) => [to, message.type]);
  const people = () => [...(env.bridge.calls.inRoom(theRoom)?.call.participants.values() ?? [])].map(({ user }) => user);

  it('look for the bridges of those who are in the room, and share the call with those that are found', async () => {
    envOf(true);
    await start();
    assert.deepEqual(seeks[0], [defense, finances, interieur].toSorted());
    assert.deepEqual(calls(), []);
    await up(finances);
    assert.deepEqual(calls(), [[finances, 'call']]);
    await up(serverName('nobody.example.org'));
    assert.equal(calls().length, 1, 'a bridge of a server without people in the room');
  });

  it('look for nobody where only the listed may be', async () => {
    envOf(false);
    await start();
    assert.deepEqual(seeks, []);
  });

  it('let people of a server without a bridge in at once', async () => {
    envOf(true);
    await start();
    const before = env.clock.nowMs();
    const admitted = await admit(bob);
    assert(admitted.ok);
    assert.equal(admitted.value.url, undefined);
    assert.equal(env.clock.nowMs(), before);
    assert.deepEqual(seeks.at(-1), [finances], 'it is looked for');
  });

  it('wait at the door for a bridge that is being looked for, no longer than that', async () => {
    envOf(true);
    await start();
    sought.add(finances);
    let admitted = false;
    const admitting = admit(bob).then((outcome) => {
      admitted = true;
      return outcome;
    });
    await settled();
    assert.equal(admitted, false);
    sought.clear();
    listener.notFound(finances);
    assert((await admitting).ok);
  });

  it('take people of another server from a neighbour that hosts them, until that server has a bridge itself', async () => {
    envOf(true);
    await start();
    await up(finances);
    const call = env.bridge.calls.inRoom(theRoom)?.call ?? assert.fail('no call');
    listener.received(finances, { type: 'call', room: theRoom, startedBy: call.startedBy, startedAtMs: call.startedAtMs, owner: interieur, term: 0 });
    await settled();
    const person = { user: dan, device: 1, name: 'Dan', joinedAtMs: 1, active: true, metadata: '', attributes: new Map(), tracks: [] };
    const announce = async (id: string): Promise<void> => {
      listener.received(finances, { type: 'people', room: theRoom, people: [{ ...person, id: participantId(id) }] });
      await settled();
    };
    await announce('PA_hosted1');
    assert.deepEqual(people(), [dan]);
    found.add(defense);
    await announce('PA_hosted2');
    assert.deepEqual(people(), []);
  });
});
