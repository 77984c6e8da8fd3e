// Owns what is said about people (or their screens) coming and going. Who is back within moments (a reload, a reconnection) never left. No DOM.

export interface ArrivalPorts {
  readonly joined: (identity: string) => void;
  /** @param name as it was shown, for the person is gone. */
  readonly left: (name: string) => void;
  /** Runs something later; what it returns calls that off. */
  readonly later: (run: () => void, ms: number) => () => void;
}

export interface Arrivals {
  readonly onJoined: (identity: string) => void;
  readonly onLeft: (identity: string, name: string) => void;
  /** This page is connected, and these are here. */
  readonly onConnected: (identities: Iterable<string>) => void;
  /** This page lost its connection: it cannot know who left, and all who were here come back without a word. */
  readonly onConnectionLost: () => void;
  readonly dispose: () => void;
}

const graceMs = 5000;
const graceAfterLossMs = 30_000;

export function createArrivals({ joined, left, later }: ArrivalPorts): Arrivals {
  const here = new Set<string>();
  const away = new Map<string, () => void>();

  const isBack = (identity: string): boolean => {
    away.get(identity)?.();
    return away.delete(identity);
  };
  const goAway = (identity: string, ms: number, thenSay: () => void): void => {
    here.delete(identity);
    away.get(identity)?.();
    away.set(identity, later(() => {
      away.delete(identity);
      thenSay();
    }, ms));
  };

  return {
    onJoined(identity) {
      const known = here.has(identity); // After a reconnection LiveKit tells again of who is here.
      here.add(identity);
      if (!isBack(identity) && !known) joined(identity);
    },
    onLeft(identity, name) {
      // Told of after this page lost its connection: the longer grace stands.
      if (!away.has(identity)) goAway(identity, graceMs, () => left(name));
    },
    onConnected(identities) {
      for (const identity of identities) {
        here.add(identity);
        isBack(identity);
      }
    },
    onConnectionLost() {
      for (const identity of [...here, ...away.keys()]) goAway(identity, graceAfterLossMs, () => undefined);
    },
    dispose() {
      for (const callOff of away.values()) callOff();
      away.clear();
    },
  };
}
