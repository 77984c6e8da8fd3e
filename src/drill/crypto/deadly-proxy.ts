// Owns a proxy between a bridge and its homeserver at which chance may kill the bridge: before a request, or between its effect and its answer.
import { createServer, request as forward, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export interface DeadlyProxyOptions {
  readonly port: number;
  /** The homeserver's client API, on this machine. */
  readonly targetPort: number;
  /** Decides, and kills. True: it has. */
  readonly strike: (point: string) => boolean;
}

export class DeadlyProxy implements AsyncDisposable {
  readonly #options: DeadlyProxyOptions;
  readonly #server: Server;

  private constructor(options: DeadlyProxyOptions) {
    this.#options = options;
    this.#server = createServer((incoming, outgoing) => this.#pass(incoming, outgoing));
  }

  static async open(options: DeadlyProxyOptions): Promise<DeadlyProxy> {
    const proxy = new DeadlyProxy(options);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen(options.port, '127.0.0.1', resolve);
    });
    return proxy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { targetPort, strike } = this.#options;
    const point = nameOf(incoming);
    if (strike(`before ${point}`)) {
      incoming.destroy();
      return;
    }
    const sent = forward({ host: '127.0.0.1', port: targetPort, method: incoming.method, path: incoming.url, headers: incoming.headers }, (answer) => {
      if (strike(`after ${point}`)) {
        outgoing.destroy();
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    sent.on('error', () => outgoing.destroy());
    outgoing.on('close', () => sent.destroy());
    incoming.pipe(sent);
  }
}

function nameOf({ method, url = '' }: IncomingMessage): string {
  const path = url.split('?')[0] ?? '';
  const part = /\/(sync|sendToDevice|send|state|keys\/\w+|devices|joined_members|members|register|ping|join)\b/.exec(path)?.[1] ?? 'other';
  return `${method ?? ''} ${part}`;
}
