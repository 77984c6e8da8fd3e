// Owns the Prometheus metrics: what is counted as it happens, and what is read when they are asked for.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { MediaSnapshot } from '../control/ports/media-plane.ts';
import type { NeighbourStatus } from '../control/peers/peer-desk.ts';
import type { Observer } from '../control/ports/observer.ts';

export interface Reading {
  readonly calls: number;
  readonly people: number;
  readonly tracks: { readonly audio: number; readonly video: number };
  readonly outboxDepth: number;
  readonly media: MediaSnapshot;
  readonly neighbours: readonly NeighbourStatus[];
  /** Introductions refused that count for no neighbour, by code. */
  readonly strangers: Readonly<Record<string, number>>;
}

export interface Metrics {
  readonly observer: Observer;
  text(): Promise<string>;
  readonly contentType: string;
}

export function createMetrics(read: () => Promise<Reading>): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const joins = new Counter({ name: 'viaduc_joins_total', help: 'Joins by result; reason is the refusal code.', labelNames: ['result', 'reason'], registers: [registry] });
  const joinSeconds = new Histogram({ name: 'viaduc_join_seconds', help: 'From the ticket at the signalling door to the place in the call.', buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5], registers: [registry] });
  const tickets = new Counter({ name: 'viaduc_tickets_total', help: 'Tickets asked for, by proof and result.', labelNames: ['door', 'result'], registers: [registry] });
  const deliveries = new Counter({ name: 'viaduc_deliveries_total', help: 'What was said in rooms, by kind and result.', labelNames: ['kind', 'result'], registers: [registry] });
  const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers: [registry] });
  const calls = gauge('viaduc_calls', 'Calls that run.');
  const people = gauge('viaduc_participants', 'Participants connected.');
  const tracks = new Gauge({ name: 'viaduc_tracks', help: 'Tracks published.', labelNames: ['kind'], registers: [registry] });
  const outbox = gauge('viaduc_outbox_depth', 'Messages waiting for the homeserver.');
  const workers = gauge('viaduc_media_workers', 'Media workers alive.');
  const cpu = new Gauge({ name: 'viaduc_media_worker_cpu_ratio', help: 'Share of one core that a media worker uses.', labelNames: ['worker'], registers: [registry] });
  const received = gauge('viaduc_media_received_bits_per_second', 'Media received since the last reading.');
  const sent = gauge('viaduc_media_sent_bits_per_second', 'Media sent since the last reading.');
  const neighbours = neighbourGauges(registry);
  const strangers = new Gauge({ name: 'viaduc_introductions_refused', help: 'Introductions refused since the start that count for no neighbour.', labelNames: ['code'], registers: [registry] });
  let last: { readonly atMs: number; readonly media: MediaSnapshot } | undefined;

  async function refresh(): Promise<void> {
    const now = await read();
    calls.set(now.calls);
    people.set(now.people);
    tracks.set({ kind: 'audio' }, now.tracks.audio);
    tracks.set({ kind: 'video' }, now.tracks.video);
    outbox.set(now.outboxDepth);
    workers.set(now.media.workers.filter(({ alive }) => alive).length);
    neighbours(now.neighbours);
    for (const [code, count] of Object.entries(now.strangers)) strangers.set({ code }, count);
    cpu.reset();
    for (const [index, worker] of now.media.workers.entries()) cpu.set({ worker: String(index) }, worker.cpuRatio);
    const atMs = performance.now();
    if (last !== undefined && atMs > last.atMs) {
      const seconds = (atMs - last.atMs) / 1000;
      received.set(Math.max(0, ((now.media.bytesReceived - last.media.bytesReceived) * 8) / seconds));
      sent.set(Math.max(0, ((now.media.bytesSent - last.media.bytesSent) * 8) / seconds));
    }
    last = { atMs, media: now.media };
  }

  return {
    observer: {
      joined: (result, reason, seconds) => {
        joins.inc({ result, reason });
        if (result === 'joined') joinSeconds.observe(seconds);
      },
      ticketIssued: (door, result) => {
        tickets.inc({ door, result });
      },
      messageDelivered: (kind, result) => {
        deliveries.inc({ kind, result });
      },
    },
    text: async () => {
      await refresh();
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
}

/** One series for each neighbour and figure. */
function neighbourGauges(registry: Registry): (statuses: readonly NeighbourStatus[]) => void {
  const gauge = (name: string, help: string): Gauge<'peer'> => new Gauge({ name: `viaduc_neighbour_${name}`, help, labelNames: ['peer'], registers: [registry] });
  const figures: readonly (readonly [Gauge<'peer'>, (status: NeighbourStatus) => number])[] = [
    [gauge('up', '1 while there is a link.'), ({ state }) => (state === 'up' ? 1 : 0)],
    [gauge('round_trip_seconds', 'Of the last ping on the link.'), ({ roundTripMs }) => (roundTripMs ?? 0) / 1000],
    [gauge('queued_bytes', 'Waiting to be sent on the link.'), ({ queuedBytes }) => queuedBytes],
    [gauge('calls', 'Calls shared with it.'), ({ calls }) => calls],
    [gauge('people', 'Its people in our calls.'), ({ people }) => people],
    [gauge('tracks_received', 'Its tracks that flow to us.'), ({ tracksReceived }) => tracksReceived],
    [gauge('stalled_calls', 'Calls in which media do not pass.'), ({ stalledCalls }) => stalledCalls],
    [gauge('calls_without_port', 'Calls whose media cannot cross for want of a port under cascade.'), ({ callsWithoutPipe }) => callsWithoutPipe],
    [gauge('media_sent_bytes', 'Sent through the pipes that are open now.'), ({ bytesSent }) => bytesSent],
    [gauge('media_received_bytes', 'Received through the pipes that are open now.'), ({ bytesReceived }) => bytesReceived],
    [gauge('packets_lost', 'Lost on the way to us, before repair.'), ({ packetsLost }) => packetsLost],
  ];
  const refusals = new Gauge({ name: 'viaduc_neighbour_refusals', help: 'What was refused to it since the start.', labelNames: ['peer', 'what'], registers: [registry] });
  return (statuses) => {
    // A neighbour that is not listed comes and goes.
    for (const gauge of [...figures.map(([figure]) => figure), refusals]) gauge.reset();
    for (const status of statuses) {
      for (const [figure, of] of figures) figure.set({ peer: status.server }, of(status));
      for (const [what, count] of Object.entries(status.refusals)) refusals.set({ peer: status.server, what }, count);
    }
  };
}
