// Specifies the figures that the operator's guide tells to watch, and the rates between two readings.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createMetrics, type Reading } from '../../src/http/metrics.ts';
import { serverName } from '../support/builders.ts';

const guide = readFileSync(new URL('../../docs/operators-guide.md', import.meta.url), 'utf8');

describe('metrics', () => {
  let reading: Reading;
  beforeEach(() => {
    reading = { calls: 2, people: 5, tracks: { audio: 4, video: 3 }, outboxDepth: 1, media: { workers: [], bytesReceived: 0, bytesSent: 0 }, neighbours: [], strangers: {} };
  });

  it('have every name that the operator\'s guide tells to watch', async () => {
    const named = new Set(Array.from(guide.matchAll(/`((?:viaduc|nodejs)_\w+)/g), ([, name = '']) => name));
    assert(named.size >= 6, [...named].join(' '));
    const text = await createMetrics(() => Promise.resolve(reading)).text();
    for (const name of named) assert.match(text, new RegExp(`^# TYPE ${name} `, 'm'));
  });

  it('tell what is there now, and how joins ended', async () => {
    const metrics = createMetrics(() => Promise.resolve(reading));
    metrics.observer.joined('joined', '', 0.2);
    metrics.observer.joined('refused', 'full', 0.1);
    const text = await metrics.text();
    for (const line of ['viaduc_calls 2', 'viaduc_participants 5', 'viaduc_tracks{kind="audio"} 4', 'viaduc_tracks{kind="video"} 3', 'viaduc_outbox_depth 1', 'viaduc_joins_total{result="refused",reason="full"} 1', 'viaduc_join_seconds_count 1']) assert(text.split('\n').includes(line), line);
  });

  it('forget a neighbour that is gone, and count strangers by what was refused to them', async () => {
    const metrics = createMetrics(() => Promise.resolve(reading));
    const neighbour = { server: serverName('finances.example.org'), state: 'up', roundTripMs: 3, reason: undefined, queuedBytes: 0, calls: 1, people: 1, tracksReceived: 0, stalledCalls: 0, callsWithoutPipe: 0, pipeFault: undefined, bytesSent: 0, bytesReceived: 0, packetsLost: 0, refusals: { introductionToken: 2 } } as const;
    reading = { ...reading, neighbours: [neighbour], strangers: { notListed: 7 } };
    const text = await metrics.text();
    for (const line of ['viaduc_neighbour_up{peer="finances.example.org"} 1', 'viaduc_neighbour_refusals{peer="finances.example.org",what="introductionToken"} 2', 'viaduc_introductions_refused{code="notListed"} 7']) assert(text.split('\n').includes(line), line);
    reading = { ...reading, neighbours: [] };
    assert.doesNotMatch(await metrics.text(), /peer="finances/);
  });

  it('never show a negative rate when a worker that had counted is gone', async () => {
    const metrics = createMetrics(() => Promise.resolve(reading));
    reading = { ...reading, media: { ...reading.media, bytesSent: 1_000_000 } };
    await metrics.text();
    reading = { ...reading, media: { ...reading.media, bytesSent: 10 } };
    assert.match(await metrics.text(), /^viaduc_media_sent_bits_per_second 0$/m);
  });
});
