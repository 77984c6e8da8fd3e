// Owns the check that one person sees and hears each of the others.
import type { Checklist } from './checklist.ts';
import type { ColumnPage } from './column-page.ts';
import type { MediaStatistics } from './media-probe.ts';
import { waitFor } from './wait.ts';

type Video = MediaStatistics['videos'][number];

const mediaMs = 60_000;
/** Two or three seconds. */
const enoughFrames = 60;
/** Tiles are smaller where there are more of them. */
const enoughWidth = (others: number): number => (others === 1 ? 640 : 320);
/** Of the generated beeps, summed as energy over a second or more; silence is exactly 0 or a few millionths. */
const enoughEnergy = 0.0001;
const enoughSeconds = 2;

/** Two rows: everybody else's pictures in the tile with their name, and as many voices as there are others. */
export async function checkReceived(column: ColumnPage, others: readonly ColumnPage[], list: Checklist): Promise<void> {
  const names = others.map(({ localpart }) => localpart).join(', ');
  await list.step(`${column.localpart} sees ${names}`, async () => {
    const minWidth = enoughWidth(others.length);
    const { videos } = await waitForMedia(column, `${String(enoughFrames)} pictures of each of ${names}, ${String(minWidth)} wide`, (media) =>
      media.videos.length === others.length && others.every((other) => videosOf(media, other).some(({ frames, width }) => frames >= enoughFrames && width >= minWidth)));
    list.figures[`video.${column.localpart}`] = Object.fromEntries(others.flatMap((other) => videosOf({ videos }, other).map(({ frames }): [string, number] => [other.localpart, frames])));
    const { width, height, framesPerSecond } = widest({ videos });
    list.figures[`picture.${column.localpart}`] = { width, height, framesPerSecond: Math.round(framesPerSecond) };
    return others.flatMap((other) => videosOf({ videos }, other).map((video) => `${other.localpart} ${shown(video)}`)).join(', ');
  });
  await list.step(`${column.localpart} hears ${names}`, async () => {
    const { audios } = await waitForMedia(column, `sound of ${names}`, (media) => media.audios.length === others.length && media.audios.every(({ energy, seconds }) => energy > enoughEnergy && seconds > enoughSeconds));
    list.figures[`audio.${column.localpart}`] = { voices: audios.length, leastEnergy: Number(Math.min(...audios.map(({ energy }) => energy)).toFixed(5)) };
    return audios.map(({ energy, seconds }) => `energy ${energy.toFixed(4)} in ${seconds.toFixed(1)} s`).join(', ');
  });
}

export async function waitForMedia(column: ColumnPage, what: string, enough: (media: MediaStatistics) => boolean): Promise<MediaStatistics> {
  let media = await column.media();
  await waitFor(`${what} at ${column.localpart}'s`, async () => {
    media = await column.media();
    if (enough(media)) return undefined;
    const videos = media.videos.map((video) => `${video.identity === '' ? 'no tile' : video.identity} ${shown(video)}`);
    const audios = media.audios.map(({ energy, seconds }) => `sound of energy ${energy.toFixed(5)} in ${seconds.toFixed(1)} s`);
    return [...videos, ...audios].join(', ') || 'nothing is received';
  }, mediaMs);
  return media;
}

/** The track with the widest picture; all 0 if there is none. */
export function widest({ videos }: Pick<MediaStatistics, 'videos'>): Video {
  return videos.reduce((best, video) => (video.width > best.width ? video : best), { identity: '', frames: 0, width: 0, height: 0, framesPerSecond: 0 });
}

function videosOf({ videos }: Pick<MediaStatistics, 'videos'>, { userId }: ColumnPage): readonly Video[] {
  return videos.filter(({ identity }) => identity.startsWith(`${userId}:`));
}

function shown({ frames, width, height }: Video): string {
  return `${String(frames)} × ${String(width)}×${String(height)}`;
}
