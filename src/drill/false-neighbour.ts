// Owns a neighbour that lies: its homeserver, introduction and link are real, what it says is the drill's choice.
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { isRoomId, isServerName, isUserId, parse, type RoomId, type ServerName } from '../call/ids.ts';
import { createPeerLinks, type CascadeLinks } from '../cascade/link-set.ts';
import type { PeerMessage, PeerPerson } from '../control/ports/peer-links.ts';
import { botLocalpart } from '../demo/bridge-config.ts';
import { organisationPorts } from '../demo/organisations.ts';
import { waitFor } from '../demo/check/wait.ts';
import { openListener } from '../http/listener.ts';
import { Secret, silentLogger } from '../log/logger.ts';
import { createAppservice } from '../matrix/appservice.ts';
import { BotClient } from '../matrix/bot-client.ts';
import { createIntroducer } from '../matrix/introducer.ts';
import { createProxiedRoutes } from '../matrix/proxied-routes.ts';
import { systemClock, systemRandom } from '../util/system.ts';
import type { Ground } from './ground.ts';

type Media = Extract<PeerMessage, { readonly type: 'media' }>;

/** Long enough for a bridge to have done something wrong. */
const watchMs = 2000;
const linkMs = 30_000;
const secret = z.string().transform((text) => new Secret(text));
const tokens = z.object({ as_token: secret, hs_token: secret });

export class FalseNeighbour implements AsyncDisposable {
  readonly server: ServerName;
  readonly received: { readonly from: ServerName; readonly message: PeerMessage }[] = [];
  /** Why links ended, newest last. */
  readonly ends: { readonly from: ServerName; readonly reason: string }[] = [];
  readonly #links: CascadeLinks;
  readonly #stack: AsyncDisposableStack;

  /** Plays the bridge of that place, which must not run. */
  static async open(ground: Ground, place: number, basePort: number): Promise<FalseNeighbour> {
    const homeserver = ground.homeserver(place);
    const server = parse(isServerName, homeserver.serverName, 'server name');
    const { as_token: asToken, hs_token: hsToken } = tokens.parse(ground.registration(place));
    const bot = parse(isUserId, `@${botLocalpart}:${server}`, 'user id');
    await using starting = new AsyncDisposableStack();
    const proxied = createProxiedRoutes({ log: silentLogger });
    const client = new BotClient({ url: homeserver.url, asToken, user: bot, device: 'FALSE', log: silentLogger });
    const introducer = createIntroducer({ client, proxied });
    const neighbours = ground.homeservers.flatMap(({ serverName }) => (serverName === server ? [] : [parse(isServerName, serverName, 'server name')]));
    const links = createPeerLinks({ server, neighbours, publicUrl: `ws://127.0.0.1:${ground.privatePort(place)}/cascade`, introducer, clock: systemClock, random: systemRandom, log: silentLogger, privateAddresses: ['127.0.0.0/8'] });
    const appservice = await openListener({ name: 'false application service', host: '127.0.0.1', port: organisationPorts(basePort, place).appservice, handle: createAppservice({ hsToken, bot, accept: () => undefined, proxied: proxied.handle, log: silentLogger }) });
    starting.defer(() => appservice.close());
    const door = await openListener({
      name: 'false door',
      host: '127.0.0.1',
      port: ground.privatePort(place),
      handle: (_request, response) => response.writeHead(404).end(),
      upgrade: (request, socket, head) => {
        if (!links.handleUpgrade(request, socket, head)) socket.destroy();
      },
    });
    starting.defer(() => door.close());
    starting.defer(() => links.close());
    await client.ensureUser('False');
    const neighbour = new FalseNeighbour(server, links, starting.move());
    links.start({
      linkUp: () => undefined,
      linkDown: (from, reason) => neighbour.ends.push({ from, reason }),
      notFound: () => undefined,
      received: (from, message) => neighbour.received.push({ from, message }),
    });
    return neighbour;
  }

  private constructor(server: ServerName, links: CascadeLinks, stack: AsyncDisposableStack) {
    this.server = server;
    this.#links = links;
    this.#stack = stack;
  }

  want(...servers: readonly string[]): void {
    this.#links.want(new Set(servers.map((name) => parse(isServerName, name, 'server name'))));
  }

  reasonOf(server: string): string {
    return this.#links.status().find((status) => status.server === server)?.reason ?? '';
  }

  isUp(server: string): boolean {
    return this.#links.status().some((status) => status.server === server && status.state === 'up');
  }

  /** @throws when there is no link in time */
  async linked(server: string): Promise<void> {
    this.want(server);
    await waitFor(`a link to ${server}`, () => Promise.resolve(this.isUp(server) ? undefined : this.reasonOf(server)), linkMs);
  }

  say(server: string, message: PeerMessage): boolean {
    return this.#links.send(parse(isServerName, server, 'server name'), message);
  }

  /** Claims a call in that room, and waits for what comes of it. */
  async claimCall(server: string, room: string): Promise<readonly PeerMessage[]> {
    const before = this.received.length;
    this.say(server, { type: 'call', room: roomOf(room), startedBy: parse(isUserId, `@nobody:${this.server}`, 'user id'), startedAtMs: Date.now(), owner: this.server, term: 0 });
    await sleep(watchMs);
    return this.received.slice(before).map(({ message }) => message);
  }

  of<Type extends PeerMessage['type']>(type: Type): readonly Extract<PeerMessage, { readonly type: Type }>[] {
    const isOf = (message: PeerMessage): message is Extract<PeerMessage, { readonly type: Type }> => message.type === type;
    return this.received.flatMap(({ message }) => (isOf(message) ? [message] : []));
  }

  /** The other side's end of the pipe, if it has told it. */
  media(): Media | undefined {
    return this.of('media').at(-1);
  }

  /** Everybody whom bridges have announced to us, as last told. */
  announced(): readonly PeerPerson[] {
    const people = new Map<string, PeerPerson>();
    for (const { message } of this.received) {
      if (message.type === 'people') for (const person of message.people) people.set(person.id, person);
      if (message.type === 'person') people.set(message.person.id, message.person);
    }
    return [...people.values()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

export function roomOf(text: string): RoomId {
  return parse(isRoomId, text, 'room id');
}
