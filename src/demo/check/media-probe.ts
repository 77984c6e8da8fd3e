// Owns what the check learns of a call page: what was received and decoded, from whom, and with whom the page talked.
import type { Frame } from 'playwright-core';
import { z } from 'zod';

/** Runs in every frame before its scripts: remembers each peer connection, and the address of each WebSocket. */
export const rememberConnections = `
  const remember = (kind, list, noted) => {
    if (window[kind] === undefined) return;
    Object.defineProperty(window, list, { value: [] });
    window[kind] = new Proxy(window[kind], {
      construct(target, args, newTarget) {
        const made = Reflect.construct(target, args, newTarget);
        window[list].push(noted(made));
        return made;
      },
    });
  };
  remember('RTCPeerConnection', 'viaducCheckPeers', (peer) => peer);
  remember('WebSocket', 'viaducCheckSockets', ({ url }) => new URL(url).origin);
`;

const readStatistics = `
  Promise.all((window.viaducCheckPeers ?? []).filter((peer) => peer.connectionState !== 'closed').map((peer) => peer.getStats())).then((reports) => {
    const entries = reports.flatMap((report) => [...report.values()]);
    const received = entries.filter((entry) => entry.type === 'inbound-rtp');
    const tiles = new Map([...document.querySelectorAll('[data-testid="tile"]')].flatMap((tile) => {
      const track = tile.querySelector('video')?.srcObject?.getVideoTracks()[0];
      return track === undefined ? [] : [[track.id, tile.dataset.identity ?? '']];
    }));
    const remotes = reports.flatMap((report) => [...report.values()].flatMap((entry) => {
      const pair = entry.type === 'transport' ? report.get(entry.selectedCandidatePairId) : undefined;
      const remote = report.get(pair?.remoteCandidateId);
      return remote === undefined ? [] : [{ protocol: remote.protocol, address: remote.address, port: remote.port }];
    }));
    return {
      videos: received.filter(({ kind }) => kind === 'video').map((entry) => ({
        identity: tiles.get(entry.trackIdentifier) ?? '',
        frames: entry.framesDecoded ?? 0,
        width: entry.frameWidth ?? 0,
        height: entry.frameHeight ?? 0,
        framesPerSecond: entry.framesPerSecond ?? 0,
      })),
      audios: received.filter(({ kind }) => kind === 'audio').map((entry) => ({ energy: entry.totalAudioEnergy ?? 0, seconds: entry.totalSamplesDuration ?? 0 })),
      remotes,
      sockets: window.viaducCheckSockets ?? [],
    };
  })
`;

const statisticsSchema = z.object({
  /** Width and height in pixels; whose tile shows it, empty while none does. */
  videos: z.array(z.object({ identity: z.string(), frames: z.number(), width: z.number(), height: z.number(), framesPerSecond: z.number() })),
  /** Energy as the browser sums it over the seconds; silence is 0 or nearly so. */
  audios: z.array(z.object({ energy: z.number(), seconds: z.number() })),
  /** The other end of every peer connection that is up. */
  remotes: z.array(z.object({ protocol: z.string(), address: z.string(), port: z.number() })),
  /** Origins of all WebSockets that the page has ever opened: "ws://interieur.localhost:18443". */
  sockets: z.array(z.string()),
});

/** One entry for each received track of the connections that are not closed. */
export type MediaStatistics = z.infer<typeof statisticsSchema>;

export async function mediaStatistics(frame: Frame): Promise<MediaStatistics> {
  return statisticsSchema.parse(await frame.evaluate(readStatistics));
}

/** Decoded pictures of all tracks, and the energy of all sound. */
export function totalsOf({ videos, audios }: MediaStatistics): { readonly frames: number; readonly energy: number } {
  return { frames: videos.reduce((sum, { frames }) => sum + frames, 0), energy: audios.reduce((sum, { energy }) => sum + energy, 0) };
}
