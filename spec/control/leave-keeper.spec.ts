// Leave events that clients hand over: put off while somebody is connected, sent once when they are not, and nobody is put out for a homeserver's fault.
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Participant } from '../../src/call/participant.ts';
import { LeaveKeeper } from '../../src/control/leave-keeper.ts';
import type { DelayedLeaveAnswer } from '../../src/control/ports/delayed-leaves.ts';
import type { HandedLeave, LeaveStore } from '../../src/control/ports/leave-store.ts';
import { silentLogger } from '../../src/log/logger.ts';
import { alice, bob, participant, theRoom } from '../support/builders.ts';
import { virtualClock } from '../support/clocks.ts';

const hourMs = 3_600_000;
const leave = (change: Partial<HandedLeave> = {}): HandedLeave => ({ room: theRoom, identity: `${alice}:DEVICE`, delayId: 'delay-1', delayMs: hourMs, ...change });

function memoryStore(): LeaveStore {
  let leaves: readonly HandedLeave[] = [];
  const others = ({ room, identity }: HandedLeave): readonly HandedLeave[] => leaves.filter((each) => each.room !== room || each.identity !== identity);
  return {
    all: () => leaves,
    put: (each) => {
      leaves = [...others(each), each];
    },
    remove: (each) => {
      leaves = leaves.filter(({ delayId }) => delayId !== each.delayId);
    },
  };
}

/** A call with the sessions that are told, and a homeserver that answers as told. */
function given(store = memoryStore()) {
  const clock = virtualClock();
  const present = new Map<string, Participant>();
  const asked: string[] = [];
  const answers: (DelayedLeaveAnswer | Error)[] = [];
  const ask = (what: string) => (delayId: string): Promise<DelayedLeaveAnswer> => {
    asked.push(`${what} ${delayId} ${Math.round((clock.nowMs() - startMs) / 1000)}`);
    const answer = answers.shift() ?? { kind: 'done' };
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const startMs = clock.nowMs();
  const keeper = new LeaveKeeper({ leaves: { putOff: ask('put off'), send: ask('send') }, store, peopleIn: () => present.values(), clock, log: silentLogger });
  return {
    keeper,
    store,
    answers,
    come: (who = participant(alice)): Participant => {
      present.set(who.id, who);
      keeper.changed(theRoom, { changed: [who], left: [] });
      return who;
    },
    go: (who: Participant): void => {
      present.delete(who.id);
      keeper.changed(theRoom, { changed: [], left: [{ participant: who, reason: 'connectionLost' }] });
    },
    pass: async (seconds: number): Promise<void> => {
      for (let left = seconds; left > 0; left -= 5) {
        clock.advance(Math.min(5, left) * 1000);
        await nextTurn();
      }
    },
    /** What the homeserver was asked since the last look, and when, in seconds. */
    asked: (): string[] => asked.splice(0),
  };
}

describe('A leave that was handed over', () => {
  it('is put off while its person is connected, well before it is due', async () => {
    const { keeper, come, pass, asked } = given();
    come();
    keeper.keep(leave());
    await pass(2 * 3600);
    const times = asked().map((line) => Number(line.split(' ').at(-1)));
    assert.deepEqual(times, [2160, 4320, 6480]);
  });

  it('is sent once, soon after the connection is over', async () => {
    const { keeper, come, go, pass, asked, store } = given();
    const her = come();
    keeper.keep(leave());
    await pass(100);
    go(her);
    await pass(20);
    assert.deepEqual(asked(), ['send delay-1 110']);
    assert.deepEqual(store.all(), []);
    await pass(4 * 3600);
    assert.deepEqual(asked(), []);
  });

  it('is not sent when somebody is back at once, and put off once however the connection flaps', async () => {
    const { keeper, come, go, pass, asked } = given();
    let her = come();
    keeper.keep(leave());
    await pass(60);
    for (let flap = 0; flap < 10; flap += 1) {
      go(her);
      await pass(2);
      her = come();
      await pass(1);
    }
    await pass(30);
    assert.ok(asked().length <= 2);
    await pass(1800);
    assert.deepEqual(asked().filter((line) => line.startsWith('send')), []);
  });

  it('is not sent when another session of the same identity took the place of the first', async () => {
    const { keeper, come, go, pass, asked } = given();
    const first = come();
    keeper.keep(leave());
    come();
    go(first);
    await pass(60);
    assert.deepEqual(asked(), []);
  });

  it('is left to the homeserver when its person never connects', async () => {
    const { keeper, come, pass, asked, store } = given();
    come(participant(bob));
    keeper.keep(leave());
    await pass(3700);
    assert.deepEqual(asked(), []);
    assert.deepEqual(store.all(), []);
  });

  it('is put off when its person connects after it was handed over', async () => {
    const { keeper, come, pass, asked } = given();
    keeper.keep(leave());
    await pass(50);
    come();
    await pass(5);
    assert.deepEqual(asked(), ['put off delay-1 50']);
  });

  for (const [what, answer] of [['answers 500', { kind: 'later', retryAfterMs: undefined, detail: '500' }], ['answers 429', { kind: 'later', retryAfterMs: 7000, detail: '429' }], ['does not answer', new Error('no answer')]] as const) {
    it(`is tried again when the homeserver ${what}`, async () => {
      const { keeper, come, go, pass, asked, answers } = given();
      const her = come();
      keeper.keep(leave());
      answers.push(answer, answer);
      await pass(2200);
      assert.equal(asked().length, 3);
      answers.push(answer, answer);
      go(her);
      await pass(60);
      assert.deepEqual(asked().map((line) => line.split(' ')[0]), ['send', 'send', 'send']);
    });
  }

  it('is forgotten when the homeserver knows it no more, and nobody is put out', async () => {
    const { keeper, come, go, pass, asked, answers, store } = given();
    const her = come();
    keeper.keep(leave());
    answers.push({ kind: 'gone' });
    await pass(2200);
    assert.equal(asked().length, 1);
    assert.deepEqual(store.all(), []);
    go(her);
    await pass(60);
    assert.deepEqual(asked(), []);
  });

  it('is not asked for any more when the homeserver must have sent it itself', async () => {
    const { keeper, come, go, pass, asked, answers, store } = given();
    const her = come();
    keeper.keep(leave({ delayMs: 120_000 }));
    go(her);
    for (let n = 0; n < 20; n += 1) answers.push({ kind: 'later', retryAfterMs: undefined, detail: '500' });
    await pass(300);
    assert.deepEqual(store.all(), []);
    assert.ok(asked().length < 10);
  });

  it('makes way for the one that the same session hands over later', async () => {
    const { keeper, come, go, pass, asked } = given();
    const her = come();
    keeper.keep(leave());
    keeper.keep(leave({ delayId: 'delay-2' }));
    go(her);
    await pass(20);
    assert.deepEqual(asked(), ['send delay-2 10']);
  });

  it('is refused when its delay is too short to be kept', () => {
    const { keeper, store } = given();
    const kept = keeper.keep(leave({ delayMs: 18_000 }));
    assert.equal(kept.ok ? '' : kept.error.code, 'badRequest');
    assert.deepEqual(store.all(), []);
  });

  it('outlives the process: who is back is put off, who is not has left', async () => {
    const store = memoryStore();
    store.put(leave());
    store.put(leave({ identity: `${bob}:DEVICE`, delayId: 'delay-2' }));
    const { keeper, come, pass, asked } = given(store);
    const stop = keeper.start();
    await pass(20);
    come();
    await pass(60);
    assert.deepEqual(asked(), ['put off delay-1 30', 'send delay-2 45']);
    stop();
    await pass(2 * 3600);
    assert.deepEqual(asked(), []);
    assert.deepEqual(store.all().map(({ delayId }) => delayId), ['delay-1']);
  });
});
