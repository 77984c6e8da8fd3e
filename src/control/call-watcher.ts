// Owns what others than the sessions hear of a running call: the links to neighbours. Every method returns at once.
import type { TrackId, UserId } from '../call/ids.ts';
import type { LiveCall } from './live-call.ts';
import type { SpeakerLevel } from './ports/media-plane.ts';
import type { ConnectionQuality, ParticipantsChange } from './ports/session.ts';

export interface CallWatcher {
  /** A new call, or one that came back after a restart. */
  started(live: LiveCall): void;
  changed(live: LiveCall, change: Omit<ParticipantsChange, 'count'>): void;
  /** Of our own people only. */
  speakersChanged(live: LiveCall, speakers: readonly SpeakerLevel[]): void;
  qualityChanged(live: LiveCall, quality: ConnectionQuality): void;
  /** Somebody here watches or hears a neighbour's track, up to that layer; undefined: nobody does. */
  demandChanged(live: LiveCall, track: TrackId, demand: { readonly layer: number | undefined } | undefined): void;
  mediaLost(live: LiveCall): void;
  /** Somebody is about to end it for everybody. */
  ending(live: LiveCall, by: UserId): void;
  ended(live: LiveCall): void;
}

export const nobodyWatches: CallWatcher = {
  started: () => undefined,
  changed: () => undefined,
  speakersChanged: () => undefined,
  qualityChanged: () => undefined,
  demandChanged: () => undefined,
  mediaLost: () => undefined,
  ending: () => undefined,
  ended: () => undefined,
};

/** Each of them hears everything. */
export function allWatch(watchers: readonly CallWatcher[]): CallWatcher {
  const tell = (what: (watcher: CallWatcher) => void): void => {
    for (const watcher of watchers) what(watcher);
  };
  return {
    started: (live) => tell((watcher) => watcher.started(live)),
    changed: (live, change) => tell((watcher) => watcher.changed(live, change)),
    speakersChanged: (live, speakers) => tell((watcher) => watcher.speakersChanged(live, speakers)),
    qualityChanged: (live, quality) => tell((watcher) => watcher.qualityChanged(live, quality)),
    demandChanged: (live, track, demand) => tell((watcher) => watcher.demandChanged(live, track, demand)),
    mediaLost: (live) => tell((watcher) => watcher.mediaLost(live)),
    ending: (live, by) => tell((watcher) => watcher.ending(live, by)),
    ended: (live) => tell((watcher) => watcher.ended(live)),
  };
}
