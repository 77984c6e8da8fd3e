// Owns what the check learns of the media in a call page: the browser's own statistics of what was received and decoded.
import type { Frame } from 'playwright-core';
import { z } from 'zod';

/** Runs in every frame before its scripts: remembers each peer connection. */
export const rememberPeerConnections = `
  if (window.RTCPeerConnection !== undefined) {
    const peers = [];
    Object.defineProperty(window, 'viaducCheckPeers', { value: peers });
    window.RTCPeerConnection = new Proxy(window.RTCPeerConnection, {
      construct(target, args, newTarget) {
        const peer = Reflect.construct(target, args, newTarget);
        peers.push(peer);
        return peer;
      },
    });
  }
`;

const readStatistics = `
  Promise.all((window.viaducCheckPeers ?? []).filter((peer) => peer.connectionState !== 'closed').map((peer) => peer.getStats())).then((reports) => {
    const received = reports.flatMap((report) => [...report.values()]).filter((entry) => entry.type === 'inbound-rtp');
    const video = received.filter((entry) => entry.kind === 'video');
    const audio = received.filter((entry) => entry.kind === 'audio');
    const sum = (list, key) => list.reduce((total, entry) => total + (entry[key] ?? 0), 0);
    const most = (list, key) => list.reduce((highest, entry) => Math.max(highest, entry[key] ?? 0), 0);
    return {
      framesDecoded: sum(video, 'framesDecoded'),
      width: most(video, 'frameWidth'),
      height: most(video, 'frameHeight'),
      framesPerSecond: most(video, 'framesPerSecond'),
      videoBytes: sum(video, 'bytesReceived'),
      audioEnergy: sum(audio, 'totalAudioEnergy'),
      audioSeconds: sum(audio, 'totalSamplesDuration'),
      audioBytes: sum(audio, 'bytesReceived'),
    };
  })
`;

const statisticsSchema = z.object({
  framesDecoded: z.number(),
  width: z.number(),
  height: z.number(),
  framesPerSecond: z.number(),
  videoBytes: z.number(),
  audioEnergy: z.number(),
  audioSeconds: z.number(),
  audioBytes: z.number(),
});

/** Received media of a page, summed over tracks; width and height in pixels of the largest picture. */
export type MediaStatistics = z.infer<typeof statisticsSchema>;

export async function mediaStatistics(frame: Frame): Promise<MediaStatistics> {
  return statisticsSchema.parse(await frame.evaluate(readStatistics));
}
