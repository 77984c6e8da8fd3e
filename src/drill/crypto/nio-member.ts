// Owns a member of an encrypted room by matrix-nio, a client of another family, in a process of its own.
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { toolPath } from '../../demo/tools.ts';
import type { EncryptedMember, MemberOptions, ReadMessage } from './member.ts';

const none = z.string().nullish().transform((text) => text ?? undefined);
const line = z.union([
  z.object({ up: z.string() }),
  z.object({ read: z.string(), room: z.string(), sender: z.string(), body: z.string(), newBody: none, relatesTo: z.object({ replaces: none, answers: none }), encrypted: z.boolean() }),
  z.object({ blind: z.string() }),
  z.object({ ref: z.number(), answer: z.unknown() }),
  z.object({ ref: z.number(), error: z.string() }),
]);

export interface NioMemberOptions extends MemberOptions {
  /** Where its keys are kept: a folder of its own. */
  readonly folder: string;
  /** Messages until it makes a new session; it does not read the room's rule. */
  readonly rotation?: number;
}

export class NioMember implements EncryptedMember {
  readonly userId: string;
  readonly deviceId: string;
  readonly read = new Map<string, ReadMessage>();
  readonly blind = new Set<string>();
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #up = Promise.withResolvers<undefined>();
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #complaint = '';
  #lastRef = 0;

  private constructor({ url, userId, password, deviceId, folder, rotation }: NioMemberOptions) {
    this.userId = userId;
    this.deviceId = deviceId;
    const options = JSON.stringify({ url, userId, password, deviceId, store: folder, rotation });
    this.#child = spawn(`${toolPath('VIADUC_NIO')}/venv/bin/python`, [fileURLToPath(new URL('nio-member.py', import.meta.url)), options], { stdio: ['pipe', 'pipe', 'pipe'] });
    createInterface({ input: this.#child.stdout }).on('line', (text) => this.#hear(line.parse(JSON.parse(text))));
    this.#child.stderr.on('data', (data: Buffer) => {
      this.#complaint = (this.#complaint + data.toString()).slice(-2000);
    });
    this.#child.stdin.on('error', () => undefined);
    this.#child.on('exit', () => this.#fail(new Error(`matrix-nio of ${userId} has ended.\n${this.#complaint}`)));
    this.#child.on('error', (error) => this.#fail(error));
  }

  static async start(options: NioMemberOptions): Promise<NioMember> {
    const member = new NioMember(options);
    await member.#up.promise;
    return member;
  }

  async join(room: string): Promise<void> {
    await this.#ask('join', { room });
  }

  async say(room: string, body: string, withUsers: readonly string[] = []): Promise<string> {
    const answer = z.string().parse(await this.#ask('say', { room, body, withUsers }));
    if (!answer.startsWith('$')) throw new Error(`${this.userId}: ${answer}`);
    return answer;
  }

  async decrypt(event: Readonly<Record<string, unknown>>): Promise<string | undefined> {
    return z.string().nullable().parse(await this.#ask('decrypt', { event })) ?? undefined;
  }

  async devicesOf(userId: string): Promise<ReadonlyMap<string, string>> {
    return new Map(Object.entries(z.record(z.string(), z.string()).parse(await this.#ask('devices', { user: userId }))));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }

  #ask(what: string, arguments_: Readonly<Record<string, unknown>>): Promise<unknown> {
    const answer = Promise.withResolvers<unknown>();
    this.#lastRef += 1;
    this.#waiting.set(this.#lastRef, answer);
    this.#child.stdin.write(`${JSON.stringify({ ref: this.#lastRef, what, with: arguments_ })}\n`);
    return answer.promise;
  }

  #hear(told: z.infer<typeof line>): void {
    if ('up' in told) this.#up.resolve(undefined);
    else if ('read' in told) {
      const { read: eventId, ...message } = told;
      this.blind.delete(eventId);
      if (message.sender !== this.userId) this.read.set(eventId, { eventId, ...message, shield: undefined });
    } else if ('blind' in told) this.blind.add(told.blind);
    else if ('error' in told) this.#take(told.ref)?.reject(new Error(`${this.userId}: ${told.error}`));
    else this.#take(told.ref)?.resolve(told.answer);
  }

  #take(ref: number): PromiseWithResolvers<unknown> | undefined {
    const answer = this.#waiting.get(ref);
    this.#waiting.delete(ref);
    return answer;
  }

  #fail(error: Error): void {
    this.#up.reject(error);
    for (const answer of this.#waiting.values()) answer.reject(error);
    this.#waiting.clear();
  }
}
