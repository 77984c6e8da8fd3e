// Owns the proof that every accepted event is worked through once, in order per room, over crashes and poison.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { silentLogger, type Logger } from '../../src/log/logger.ts';
import { EventQueue } from '../../src/matrix/event-queue.ts';
import type { MatrixEvent } from '../../src/matrix/event-decoder.ts';
import { openDatabase, type Database } from '../../src/store/database.ts';
import { createEventInbox } from '../../src/store/event-inbox.ts';
import { virtualClock } from '../support/clocks.ts';
import { rawEvent, sentAtMs } from '../support/matrix-events.ts';

describe('the event queue', () => {
  let database: Database;
  beforeEach(() => {
    database = openDatabase(':memory:');
  });
  afterEach(() => database.close());

  interface Bench {
    readonly handle?: (event: MatrixEvent, ageMs: number) => Promise<void>;
    readonly log?: Logger;
    readonly clock?: ReturnType<typeof virtualClock>;
  }
  function bench({ handle, log = silentLogger, clock = virtualClock(sentAtMs) }: Bench = {}) {
    const handled: string[] = [];
    const observed: string[] = [];
    const ages: number[] = [];
    const queue = new EventQueue({
      inbox: createEventInbox(database),
      clock,
      log,
      concerns: (event) => event.type !== 'name',
      observe: (event) => void observed.push(event.eventId),
      handle: async (event, ageMs) => {
        ages.push(ageMs);
        await handle?.(event, ageMs);
        handled.push(event.eventId);
      },
    });
    return { queue, handled, observed, ages, clock };
  }

  it('works once through what comes several times, in one transaction or in many', async () => {
    const { queue, handled, observed } = bench();
    queue.start();
    const [a, b] = [rawEvent(), rawEvent()];
    queue.accept([a, a, b]);
    queue.accept([b, a]);
    await queue.settled();
    queue.accept([a, b]);
    await queue.settled();
    assert.deepEqual({ handled, seen: new Set(observed) }, { handled: [a.event_id, b.event_id], seen: new Set([a.event_id, b.event_id]) });
  });

  it('only observes what is of no lasting concern, and does not store it', async () => {
    const { queue, handled, observed } = bench();
    const event = rawEvent({ type: 'm.room.name', state_key: '', content: { name: 'secret' } });
    queue.accept([event]);
    queue.start();
    await queue.settled();
    assert.deepEqual({ handled, observed, stored: createEventInbox(database).pending() }, { handled: [], observed: [event.event_id], stored: [] });
  });

  it('observes at once, before the transaction is acknowledged, and works later', async () => {
    const { queue, handled, observed } = bench();
    queue.start();
    const event = rawEvent();
    queue.accept([event]);
    assert.deepEqual({ handled, observed }, { handled: [], observed: [event.event_id] });
    await queue.settled();
    assert.deepEqual(handled, [event.event_id]);
  });

  it('keeps order in a room, and lets no room wait for another', async () => {
    const held = Promise.withResolvers<undefined>();
    const { queue, handled } = bench({
      handle: async (event) => {
        if (event.room === '!slow') await held.promise;
      },
    });
    queue.start();
    const slow = [rawEvent({ room_id: '!slow' }), rawEvent({ room_id: '!slow' })];
    const quick = [rawEvent({ room_id: '!quick' }), rawEvent({ room_id: '!quick' })];
    queue.accept([...slow, ...quick]);
    while (handled.length < 2) await Promise.resolve();
    assert.deepEqual(handled, quick.map((event) => event.event_id));
    held.resolve(undefined);
    await queue.settled();
    assert.deepEqual(handled, [...quick, ...slow].map((event) => event.event_id));
  });

  it('logs a poisonous event with a reference, and goes on', async () => {
    const errors: unknown[] = [];
    const log: Logger = { ...silentLogger, error: (_message, keys) => void errors.push(keys?.['event']) };
    const poison = rawEvent();
    const { queue, handled } = bench({ log, handle: (event) => (event.eventId === poison.event_id ? Promise.reject(new Error('poison')) : Promise.resolve()) });
    queue.start();
    const after = rawEvent();
    queue.accept([poison, after]);
    await queue.settled();
    assert.deepEqual({ handled, errors }, { handled: [after.event_id], errors: [poison.event_id] });
    assert.deepEqual(createEventInbox(database).pending(), []);
  });

  it('drops what is malformed, with the rest of the transaction taken', async () => {
    const { queue, handled } = bench();
    queue.start();
    const event = rawEvent();
    queue.accept([null, { type: 'm.room.message' }, event, 'x']);
    await queue.settled();
    assert.deepEqual(handled, [event.event_id]);
  });

  it('takes up after a crash what was accepted and not done, before what is new', async () => {
    const never = bench();
    const [a, b] = [rawEvent(), rawEvent()];
    never.queue.accept([a, b]);
    const { queue, handled } = bench();
    const c = rawEvent();
    queue.accept([c, a]);
    queue.start();
    await queue.settled();
    assert.deepEqual(handled, [a, b, c].map((event) => event.event_id));
  });

  it('leaves what it has not begun when it closes, and refuses more', async () => {
    const held = Promise.withResolvers<undefined>();
    const { queue, handled } = bench({
      handle: async () => {
        await held.promise;
      },
    });
    queue.start();
    const [a, b] = [rawEvent(), rawEvent()];
    queue.accept([a, b]);
    await Promise.resolve();
    const closed = queue.close();
    held.resolve(undefined);
    await closed;
    assert.deepEqual(handled, [a.event_id]);
    assert.deepEqual(createEventInbox(database).pending().map(({ eventId }) => eventId), [b.event_id]);
    assert.throws(() => queue.accept([rawEvent()]), /closed/);
  });

  it('says that a transaction was not saved when the inbox fails', () => {
    const { queue, observed } = bench();
    queue.start();
    database.close();
    assert.throws(() => queue.accept([rawEvent()]));
    assert.deepEqual(observed, []);
    database = openDatabase(':memory:');
  });

  describe('reckons an event\'s age', () => {
    const rows = [
      { what: 'as the homeserver says', event: rawEvent({ unsigned: { age: 40_000 } }), waitMs: 0, ageMs: 40_000 },
      { what: 'as the homeserver says, whatever the sender\'s clock', event: rawEvent({ unsigned: { age: 3 }, origin_server_ts: 1 }), waitMs: 0, ageMs: 3 },
      { what: 'by the time of sending where it does not say', event: rawEvent({ origin_server_ts: sentAtMs - 31_000 }), waitMs: 0, ageMs: 31_000 },
      { what: 'as nothing when it comes from the future', event: rawEvent({ origin_server_ts: sentAtMs + 600_000 }), waitMs: 0, ageMs: 0 },
      { what: 'with the time it waited here', event: rawEvent({ unsigned: { age: 1_000 } }), waitMs: 31_000, ageMs: 32_000 },
    ];
    for (const { what, event, waitMs, ageMs } of rows) {
      it(what, async () => {
        const { queue, ages, clock } = bench();
        queue.accept([event]);
        clock.advance(waitMs);
        queue.start();
        await queue.settled();
        assert.deepEqual(ages, [ageMs]);
      });
    }
  });

  it('forgets what was done a week ago, and nothing that is not done', async () => {
    const { queue, handled, clock } = bench();
    queue.start();
    const event = rawEvent();
    queue.accept([event]);
    await queue.settled();
    clock.advance(6 * 24 * 3600 * 1000);
    queue.accept([event]);
    await queue.settled();
    assert.equal(handled.length, 1);
    clock.advance(2 * 24 * 3600 * 1000);
    queue.accept([event]);
    await queue.settled();
    assert.equal(handled.length, 2);
    await queue.close();
    assert.equal(clock.waiting(), 0);
  });

  it('has one effect per event in any schedule of repeats, reorderings and crashes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof({ arbitrary: fc.array(fc.nat(9), { maxLength: 6 }), weight: 4 }, { arbitrary: fc.constant('restart' as const), weight: 1 }), { maxLength: 30 }), async (steps) => {
        const own = openDatabase(':memory:');
        const events = Array.from({ length: 10 }, (_, n) => rawEvent({ room_id: `!${n % 3}` }));
        const effects: string[] = [];
        const fresh = () => {
          const queue = new EventQueue({ inbox: createEventInbox(own), clock: virtualClock(), log: silentLogger, concerns: () => true, observe: () => undefined, handle: (event) => Promise.resolve(void effects.push(event.eventId)) });
          queue.start();
          return queue;
        };
        let queue = fresh();
        const given = new Set<string>();
        for (const step of steps) {
          if (step === 'restart') {
            await queue.close();
            queue = fresh();
          } else {
            const sent = step.map((n) => events[n]);
            for (const event of sent) if (event !== undefined) given.add(event.event_id);
            queue.accept(sent);
          }
        }
        await queue.settled();
        await queue.close();
        own.close();
        assert.deepEqual([...effects].sort(), [...given].sort());
      }),
      { numRuns: 200 },
    );
  });
});
