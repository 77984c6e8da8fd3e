// Owns the homeservers of a spec: real, federating, empty at the start, and the people on them.
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { Homeserver, type HomeserverOptions } from '../../src/demo/homeservers/homeserver.ts';
import { hostOf, organisationPorts, organisations } from '../../src/demo/organisations.ts';
import { MatrixUser } from './matrix-user.ts';
import { specBasePort, specRun } from './run.ts';

export interface FederationOptions {
  /** How many organisations (interieur, finances, defense), default 1. */
  readonly size?: number;
  /** What else a homeserver needs: registrations, limits. */
  readonly settings?: (index: number, basePort: number) => Partial<Pick<HomeserverOptions, 'registrations' | 'messageLimit' | 'extra'>>;
}

export interface Federation extends AsyncDisposable {
  /** @throws when the federation is smaller. */
  server(index: number): Homeserver;
  /** A new account, logged in and syncing, on the server of that index. */
  user(index: number, localpart: string, options?: { readonly admin?: boolean; readonly deviceId?: string }): Promise<MatrixUser>;
}

/** Starts empty homeservers on the ports of the specs: one federation at a time. Disposing stops the people, then the servers. */
export async function startFederation(options: FederationOptions = {}): Promise<Federation> {
  const { nursery, certificates, folder } = await specRun();
  const basePort = specBasePort();
  const home = mkdtempSync(join(folder, 'federation-'));
  await using starting = new AsyncDisposableStack();
  const servers = organisations.slice(0, options.size ?? 1).map((organisation, index) =>
    starting.use(
      new Homeserver({
        nursery,
        certificates,
        folder: join(home, organisation.id),
        host: hostOf(organisation),
        port: organisationPorts(basePort, index).federation,
        ...options.settings?.(index, basePort),
      }),
    ),
  );
  await Promise.all(servers.map((server) => server.start()));
  const stack = starting.move();
  const server = (index: number): Homeserver => {
    const found = servers[index];
    if (found === undefined) throw new Error(`This federation has ${String(servers.length)} homeservers; ask for more with size.`);
    return found;
  };
  return {
    server,
    async user(index, localpart, more) {
      return stack.use(await MatrixUser.register(server(index), localpart, more));
    },
    async [Symbol.asyncDispose]() {
      await stack.disposeAsync();
    },
  };
}
