// Owns the checks of how the call page joins, comes back by itself and ends; the media server is a fake that fails on demand.
import assert from 'node:assert/strict';
import type { Refusal, Result } from '../../src/web/api/refusal.ts';
import type { Ticket } from '../../src/web/api/schemas.ts';
import { type CallSession, type CallState, createCallSession } from '../../src/web/call/call-session.ts';

const ticket = (number: number): Ticket => ({
  url: 'wss://visio.example', jwt: `ticket ${number}`, identity: '@a:x:D', user_id: '@a:x', display_name: 'A', role: 'participant', language: 'fr', call: { started_at: 0 },
});

interface World {
  readonly session: CallSession;
  readonly waits: number[];
  readonly connected: string[];
  readonly states: string[];
  readonly published: () => number;
  readonly disconnects: () => number;
  /** What the next requests for a ticket answer; afterwards fresh tickets. */
  readonly refuse: (...refusals: Refusal[]) => void;
  /** The next connections fail. */
  readonly breakConnections: (count: number) => void;
  readonly drop: (reason: string | undefined) => void;
  /** Called at each wait of the session. */
  onWait: (count: number) => void;
}

const nameOf = (state: CallState): string => (state.kind === 'over' ? `over: ${state.ending}` : state.kind === 'refused' ? `refused: ${state.refusal.code}` : state.kind);
const reached = async (world: World, name: string): Promise<void> => {
  for (let turns = 0; nameOf(world.session.state()) !== name; turns++) {
    assert.ok(turns < 200, `still ${nameOf(world.session.state())}, not ${name}`);
    await Promise.resolve();
  }
};

function createWorld(): World {
  const refusals: Refusal[] = [];
  const waits: number[] = [];
  const connected: string[] = [];
  const states: string[] = [];
  let [tickets, published, disconnects, broken] = [0, 0, 0, 0];
  let drop: (reason: string | undefined) => void = () => undefined;
  const session = createCallSession({
    requestTicket(): Promise<Result<Ticket>> {
      const refusal = refusals.shift();
      return Promise.resolve(refusal ? { ok: false, refusal } : { ok: true, value: ticket(++tickets) });
    },
    room: {
      connect({ jwt }) {
        if (broken > 0) {
          broken--;
          return Promise.reject(new Error('no route'));
        }
        connected.push(jwt);
        return Promise.resolve();
      },
      publish() {
        published++;
        return Promise.resolve();
      },
      disconnect() {
        disconnects++;
        return Promise.resolve();
      },
      onDisconnected(listener) {
        drop = listener;
      },
    },
    wait(ms) {
      waits.push(ms);
      world.onWait(waits.length);
      return Promise.resolve();
    },
    random: () => 0.5,
  });
  const world: World = {
    session, waits, connected, states,
    published: () => published,
    disconnects: () => disconnects,
    refuse: (...more) => void refusals.push(...more),
    breakConnections: (count) => void (broken = count),
    drop: (reason) => drop(reason),
    onWait: () => undefined,
  };
  session.subscribe(() => states.push(nameOf(session.state())));
  return world;
}

describe('web: a session', () => {
  it('joins: ticket, connection, media', async () => {
    const world = createWorld();
    await world.session.join();
    assert.deepEqual(world.states, ['joining', 'in-call']);
    assert.deepEqual([world.connected, world.published()], [['ticket 1'], 1]);
  });

  it('says why it was refused, and joins when asked again', async () => {
    const world = createWorld();
    world.refuse({ code: 'forbidden', reference: 'r-1' });
    await world.session.join();
    assert.deepEqual(world.session.state(), { kind: 'refused', refusal: { code: 'forbidden', reference: 'r-1' } });
    await world.session.join();
    assert.deepEqual(world.states, ['joining', 'refused: forbidden', 'joining', 'in-call']);
  });

  it('tells an unreachable media server from a refusal', async () => {
    const world = createWorld();
    world.breakConnections(1);
    await world.session.join();
    assert.deepEqual(world.session.state(), { kind: 'refused', refusal: { code: 'media', detail: 'no route' } });
  });

  for (const reason of ['SERVER_SHUTDOWN', 'SIGNAL_CLOSE', 'STATE_MISMATCH', 'CONNECTION_TIMEOUT', 'JOIN_FAILURE', 'UNKNOWN_REASON', undefined]) {
    it(`comes back by itself after ${reason ?? 'no reason at all'}, with a new ticket and the same media`, async () => {
      const world = createWorld();
      await world.session.join();
      world.drop(reason);
      await reached(world, 'in-call');
      assert.deepEqual(world.states, ['joining', 'in-call', 'rejoining', 'in-call']);
      assert.deepEqual([world.connected, world.published()], [['ticket 1', 'ticket 2'], 2]);
    });
  }

  it('keeps trying with growing waits while the bridge is away, and waits as long as it asks', async () => {
    const world = createWorld();
    await world.session.join();
    world.refuse({ code: 'network' }, { code: 'unavailable', retryAfterMs: 9000 }, { code: 'limited' });
    world.breakConnections(1);
    world.drop('SIGNAL_CLOSE');
    await reached(world, 'in-call');
    assert.equal(world.waits.length, 5);
    assert.deepEqual(world.waits.slice(0, 2), [400, 800]);
    assert.ok(world.waits[2] !== undefined && world.waits[2] >= 9000);
    assert.deepEqual(world.connected, ['ticket 1', 'ticket 3']);
  });

  it('stops coming back when the bridge says no for good', async () => {
    const world = createWorld();
    await world.session.join();
    world.refuse({ code: 'network' }, { code: 'forbidden' });
    world.drop(undefined);
    await reached(world, 'refused: forbidden');
    assert.equal(world.waits.length, 2);
  });

  for (const [reason, ending] of [['PARTICIPANT_REMOVED', 'removed'], ['DUPLICATE_IDENTITY', 'elsewhere'], ['ROOM_DELETED', 'ended'], ['ROOM_CLOSED', 'ended'], ['CLIENT_INITIATED', 'left']] as const) {
    it(`ends, and stays away, after ${reason}`, async () => {
      const world = createWorld();
      await world.session.join();
      world.drop(reason);
      await Promise.resolve();
      assert.deepEqual(world.states.slice(2), [`over: ${ending}`]);
      assert.deepEqual([world.waits, world.connected], [[], ['ticket 1']]);
      await world.session.join();
      assert.equal(world.session.state().kind, 'in-call');
    });
  }

  it('leaves while it is coming back, and then does not come back', async () => {
    const world = createWorld();
    await world.session.join();
    world.onWait = () => void world.session.leave();
    world.drop('SIGNAL_CLOSE');
    await reached(world, 'over: left');
    for (let turns = 0; turns < 20; turns++) await Promise.resolve();
    assert.equal(nameOf(world.session.state()), 'over: left');
    assert.deepEqual([world.connected, world.disconnects()], [['ticket 1'], 1]);
  });

  it('hangs up when the person left while it was joining', async () => {
    const world = createWorld();
    const joining = world.session.join();
    await world.session.leave();
    await joining;
    assert.equal(world.session.state().kind, 'idle');
    assert.equal(world.published(), 0);
    assert.ok(world.disconnects() >= 1);
  });

  it('ignores a disconnection that belongs to an attempt', async () => {
    const world = createWorld();
    const joining = world.session.join();
    world.drop('JOIN_FAILURE');
    await joining;
    assert.deepEqual([world.states, world.waits], [['joining', 'in-call'], []]);
  });
});
