// Owns the shape of the configuration: every key with its unit, default and meaning. config/bridge.sample.yaml is made from it.
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { isServerName, type ServerName } from '../call/ids.ts';

const port = z.int().min(1).max(65_535);
const durationMs = z.int().min(0);
const serverName = z.custom<ServerName>((value) => typeof value === 'string' && isServerName(value), 'must be a Matrix server name such as example.org or example.org:8448');
const serverPattern = z.string().regex(/^(\*\.)?[0-9A-Za-z.:[\]-]+$/, 'must be a Matrix server name, or *.suffix for every name below it');
const httpUrl = z.url({ protocol: /^https?$/, error: 'must start with http:// or https://' }).transform((url) => url.replace(/\/+$/, ''));

export const configSchema = z.strictObject({
  homeserver: z.strictObject({
    serverName: serverName.describe('The server name of your homeserver: what stands after the colon in @user:example.org.'),
    url: httpUrl.describe('Where the bridge reaches the homeserver\'s client API.'),
    federationUrl: httpUrl.optional().describe('Where the bridge reaches your own homeserver\'s federation API, to verify your own users. Left out: found as every other server\'s, by its server name.'),
  }),
  registration: z.string().default('registration.yaml').describe('The application service\'s registration, written by ./viaduc register. A path relative to this file.'),
  dataFolder: z.string().default('data').describe('Where the database and the signing key are kept. A path relative to this file. Back it up.'),
  appservice: z
    .strictObject({
      host: z.string().default('127.0.0.1').describe('Only the homeserver needs to reach this address.'),
      port: port.default(9340),
    })
    .prefault({}),
  bot: z
    .strictObject({
      localpart: z.string().regex(/^[a-z0-9._=/+-]+$/, 'lower-case letters, digits and . _ = / + - only').default('visio').describe('The bot is @localpart:serverName. To change it, run ./viaduc register again.'),
      displayName: z.string().min(1).default('Visio'),
    })
    .prefault({}),
  crypto: z.enum(['on', 'off']).default('on').describe('on: the bot has a device of its own and takes part in encrypted rooms. off: it says there that it does not.'),
  organisation: z
    .strictObject({
      name: z.string().default('').describe('Your organisation as people read it on the call page. Empty: the label of your server name.'),
      labels: z.record(serverName, z.string().min(1)).default({}).describe('Short names of organisations by server name, for example {"interieur.example.org": "Intérieur"}. Others are shown by the first part of their server name.'),
    })
    .prefault({}),
  http: z
    .strictObject({
      host: z.string().default('127.0.0.1').describe('The call page, the MatrixRTC authorisation service and LiveKit signalling. Put a reverse proxy with TLS before it.'),
      port: port.default(9341),
      publicUrl: httpUrl.describe('The address under which people reach that listener, without a path.'),
      frameAncestors: z.array(z.string().regex(/^(\*|https?:|https?:\/\/[^\s;,']+)$/, 'must be an origin such as https://element.example.org')).default([]).describe('Origins of the Matrix clients that may show the call page as a widget. Empty: none, people use the link.'),
      trustedProxies: z.array(z.string()).default(['127.0.0.1', '::1']).describe('Addresses of reverse proxies whose X-Forwarded-For is believed.'),
    }),
  metrics: z
    .strictObject({
      host: z.string().default('127.0.0.1').describe('Prometheus /metrics, /healthz and /readyz. Not for the public.'),
      port: port.default(9342),
    })
    .prefault({}),
  media: z
    .strictObject({
      listenIp: z.string().default('0.0.0.0').describe('Local address for media.'),
      announcedAddress: z.string().optional().describe('The address that clients send media to, when it differs from listenIp (NAT, 0.0.0.0).'),
      firstPort: port.default(9350).describe('Worker n uses port firstPort + n, over UDP and TCP. Open them to your people.'),
      workers: z.int().min(0).max(256).default(0).describe('Media workers. 0: one for each processor core.').transform((workers) => (workers === 0 ? availableParallelism() : workers)),
      workerBinary: z.string().optional().describe('The mediasoup worker. Left out: the one that ./viaduc has built.'),
      initialOutgoingBitrateKbps: z.int().min(50).default(1000).describe('What a receiver is believed to bear at first.'),
      maxIncomingBitrateKbps: z.int().min(50).default(6000).describe('The most that one sender may send.'),
      iceServers: z.array(z.strictObject({ urls: z.array(z.string().regex(/^(stun|turn|turns):/, 'must start with stun:, turn: or turns:')), username: z.string().optional(), credential: z.string().optional() })).default([]).describe('STUN and TURN servers told to clients. None by default: nothing is asked outside.'),
    })
    .prefault({}),
  access: z
    .strictObject({
      servers: z.array(serverPattern).default([]).describe('Server names of other organisations whose people may join calls and invite the bot; *.suffix allows all names below it. Your own is always allowed.'),
      privateAddresses: z.array(z.string()).default([]).describe('Networks such as 10.0.0.0/8 that the bridge may ask although they are private: homeservers inside your network. None by default.'),
      startLevel: z.int().default(0).describe('Power level in the room needed to start a call.'),
      ticketLifetimeMs: durationMs.default(600_000).describe('How long a ticket to a call is good for, in milliseconds.'),
      signInLifetimeMs: durationMs.default(2_592_000_000).describe('How long a browser that was paired with a code is remembered, in milliseconds (30 days).'),
    })
    .prefault({}),
  calls: z
    .strictObject({
      language: z.enum(['fr', 'en']).default('fr').describe('Language of the bot and the page where a room has not chosen its own (fr or en).'),
      prefixes: z.array(z.string().regex(/^[!./][\p{L}\p{N}_-]+$/u, 'must be one word after ! . or /')).min(1).default(['!visio', '!call', '!viaduc']).describe('Words that call the bot. The first one is shown in its help.'),
      noticeIntervalMs: durationMs.default(5000).describe('At most one edit of a call\'s notice in this time, in milliseconds.'),
      neverJoinedTimeoutMs: durationMs.default(300_000).describe('A call that nobody joins ends after this time, in milliseconds.'),
      emptyTimeoutMs: durationMs.default(60_000).describe('A call ends this long after the last one left, in milliseconds.'),
      lostGraceMs: durationMs.default(30_000).describe('How long people keep their place when the bridge restarts, in milliseconds.'),
      maxParticipants: z.int().min(1).default(200).describe('Connections in one call.'),
      maxTracksPerParticipant: z.int().min(1).default(12).describe('Audio and video tracks that one connection may publish.'),
      drainTimeoutMs: durationMs.default(10_000).describe('After SIGTERM: how long the bridge waits for calls to end by themselves before it asks clients to come back, in milliseconds.'),
    })
    .prefault({}),
  neighbours: z
    .array(
      z.strictObject({
        serverName: serverName.describe('The server name of the other organisation\'s homeserver.'),
        bot: z.string().default('visio').describe('The localpart of its bot.'),
        url: httpUrl.optional().describe('The public address of its bridge, for homeservers that carry no requests between bridges. Left out: what its server publishes in .well-known/matrix/client.'),
      }),
    )
    .default([])
    .describe('Other organisations\' bridges with which calls are shared: each person stays on the bridge of their own organisation. Each side must list the other. Best with Synapse 1.163 and experimental_features.msc4512_enabled on both sides; without, each finds the other\'s bridge by its .well-known/matrix/client or url.'),
  cascade: z
    .strictObject({
      accept: z.enum(['listed', 'anyFederated']).default('listed').describe('Whose bridges calls are shared with: listed, those under neighbours; anyFederated, also those of any server that has people in the room of a call.'),
      listenIp: z.string().default('0.0.0.0').describe('Local address for media to and from other bridges.'),
      announcedAddress: z.string().optional().describe('The address that neighbours send media to, when it differs from listenIp.'),
      firstPort: port.default(9400).describe('UDP ports from firstPort to lastPort, one for each call and neighbour. Open them to your neighbours.'),
      lastPort: port.default(9499),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('debug, info, warn or error.'),
      format: z.enum(['text', 'json']).default('text').describe('text or json, one line each, on standard error.'),
    })
    .prefault({}),
});

export type Config = z.output<typeof configSchema>;
export type ConfigInput = z.input<typeof configSchema>;
