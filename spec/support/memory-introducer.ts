// Owns homeservers of specs that carry requests between bridges in memory: who asks is always true, and the way can be cut.
import type { ServerName } from '../../src/call/ids.ts';
import { NotCarried, type Introducer } from '../../src/control/ports/introducer.ts';

type Handler = Parameters<Introducer['answer']>[1];

export interface Asked {
  readonly origin: ServerName;
  readonly destination: ServerName;
  readonly path: string;
  readonly body: unknown;
}

export class IntroducerNetwork {
  readonly asked: Asked[] = [];
  readonly #handlers = new Map<ServerName, Map<string, Handler>>();
  /** Of these nobody hears anything. */
  readonly cut = new Set<ServerName>();
  /** These carry no requests between bridges, and hand none to theirs. */
  readonly without = new Set<ServerName>();
  /** Awaited before a request arrives. */
  delay: (asked: Asked) => Promise<void> = () => Promise.resolve();

  of(server: ServerName): Introducer {
    const handlers = new Map<string, Handler>();
    this.#handlers.set(server, handlers);
    return {
      ask: async (destination, path, body) => {
        const asked = { origin: server, destination, path, body };
        this.asked.push(asked);
        await this.delay(asked);
        if (this.without.has(server)) throw new NotCarried('the homeserver does not carry requests between bridges');
        if (this.without.has(destination)) return { status: 404, content: { errcode: 'M_UNRECOGNIZED', error: 'Unrecognized request' } };
        if (this.cut.has(server) || this.cut.has(destination)) throw new Error(`the homeserver does not reach ${destination}`);
        const theirs = this.#handlers.get(destination);
        if (theirs === undefined) throw new Error(`the homeserver does not reach ${destination}`);
        const handler = theirs.get(path);
        if (handler === undefined) return { status: 404, content: { errcode: 'M_UNRECOGNIZED', error: 'the bridge answers nothing at this address' } };
        // As over a wire: nothing is shared.
        const answer = await handler(server, JSON.parse(JSON.stringify(body)));
        return { status: answer.status, content: JSON.parse(JSON.stringify(answer.content)) as unknown };
      },
      answer: (path, handler) => {
        if (handlers.has(path)) throw new Error(`${path} is answered already`);
        handlers.set(path, handler);
      },
    };
  }
}
