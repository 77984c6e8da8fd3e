// Owns what is said about people coming and going. Who is back within moments (a reload, a reconnection) never left. No DOM.

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
  readonly dispose: () => void;
}

const graceMs = 5000;

export function createArrivals({ joined, left, later }: ArrivalPorts): Arrivals {
  const leaving = new Map<string, () => void>();
  return {
    onJoined(identity) {
      const callOff = leaving.get(identity);
      if (callOff === undefined) {
        joined(identity);
        return;
      }
      callOff();
      leaving.delete(identity);
    },
    onLeft(identity, name) {
      leaving.get(identity)?.();
      leaving.set(identity, later(() => {
        leaving.delete(identity);
        left(name);
      }, graceMs));
    },
    dispose() {
      for (const callOff of leaving.values()) callOff();
      leaving.clear();
    },
  };
}
