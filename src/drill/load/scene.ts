// Owns the scene of the drills about load: one organisation's bridge, calls with tickets for many devices, and what is read while the load is measured.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { toolPath } from '../../demo/tools.ts';
import { cpuMs, goAhead, watchMachine } from '../cpu.ts';
import type { DrillContext } from '../drill.ts';
import { buildGround, type DrillBridge, type Ground } from '../ground.ts';
import { loopDelayMs } from '../loop-delay.ts';
import { Party, type Ticket } from '../people.ts';
import { runLoad, type LoadResult } from './generator.ts';

/** Each is a session of its own for the bridge, whoever's device it is. */
const accounts = 8;
const asking = 4;
const leaveMs = 2000;
/** Above both, this side is too slow. */
const mostBusy = 0.9;
const mostLateMs = 50;

export interface Measured {
  readonly result: LoadResult;
  /** Processor time of each worker in the window, in milliseconds. */
  readonly workersMs: readonly number[];
  /** Of the bridge's own process. */
  readonly bridgeMs: number;
  /** How busy the machine was, from 0 to 1. */
  readonly busy: number;
  /** Delay of the bridge's event loop in the window. */
  readonly loopP99Ms: number;
  /** The same workers run as before. */
  readonly sameWorkers: boolean;
}

export class LoadScene implements AsyncDisposable {
  readonly #ground: Ground;
  readonly #folder: string;
  #tickets = 0;

  /** @param largest how many are in one call at most */
  static async open({ basePort, folder, report }: DrillContext, largest: number): Promise<LoadScene> {
    const settings = { 'calls.maxParticipants': largest + accounts, 'log.level': 'info' };
    return new LoadScene(await buildGround({ basePort, folder, report, organisations: 1, settings }), folder);
  }

  private constructor(ground: Ground, folder: string) {
    this.#ground = ground;
    this.#folder = folder;
  }

  get bridge(): DrillBridge {
    return this.#ground.bridge(0);
  }

  /** A room with a call in it. */
  async startCall(): Promise<Party> {
    const party = await Party.gather(this.#ground, [accounts]);
    await party.startCall(party.person('a1'));
    return party;
  }

  /** At the bridge's door, for devices that were not there before. */
  async tickets(party: Party, count: number): Promise<readonly Ticket[]> {
    const given: Ticket[] = [];
    const ask = async (): Promise<void> => {
      while (this.#tickets < end) {
        const number = (this.#tickets += 1);
        const person = party.people[number % party.people.length];
        if (person !== undefined) given.push(await party.ticket(person, `${person.deviceId}${number}`));
      }
    };
    const end = this.#tickets + count;
    await Promise.all(Array.from({ length: asking }, ask));
    return given;
  }

  /** The load is let in, measured and gone again. */
  async measure(tickets: readonly Ticket[], options: Readonly<Record<string, string | number | boolean>>): Promise<Measured> {
    const file = join(this.#folder, 'tickets');
    writeFileSync(file, tickets.map(({ url, jwt }) => `${url} ${jwt}\n`).join(''), { mode: 0o600 });
    const workers = this.bridge.workerPids;
    const main = this.bridge.pids.filter((pid) => !workers.includes(pid));
    for (const pid of this.bridge.pids) goAhead(pid);
    const used = (): readonly number[] => [cpuMs(main), ...workers.map((pid) => cpuMs([pid]))];
    let before: readonly number[] = [];
    let after: readonly number[] = [];
    let busy = 0;
    let machine = watchMachine();
    let loop = Promise.resolve(0);
    const result = await runLoad({
      binary: toolPath('VIADUC_LOAD'),
      options: { ...options, tokens: file },
      onPhase: (phase) => {
        if (phase === 'measuring') {
          [before, machine] = [used(), watchMachine()];
          loop = loopDelayMs(this.bridge);
        } else if (phase === 'measured') {
          [after, busy] = [used(), machine()];
          loop = loop.then(() => loopDelayMs(this.bridge));
        }
      },
    });
    const loopP99Ms = await loop;
    const [bridgeMs = 0, ...workersMs] = after.map((each, index) => each - (before[index] ?? 0));
    const now = this.bridge.workerPids;
    await sleep(leaveMs);
    return { result, workersMs, bridgeMs, busy, loopP99Ms, sameWorkers: now.length === workers.length && now.every((pid) => workers.includes(pid)) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ground[Symbol.asyncDispose]();
  }
}

/** Whether this side was too slow to say anything about the bridge. */
export function isStarved({ busy, result }: Measured): boolean {
  return busy > mostBusy && result.generator.lateMs.p99 > mostLateMs;
}

export function isWhole({ result }: Measured, leastDelivery: number): boolean {
  return result.worst.delivery >= leastDelivery && result.silent === 0 && result.missing === 0 && result.refused === 0 && result.dropped === 0;
}
