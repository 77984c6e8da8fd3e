// Port: what happened, for metrics. Every method returns at once and never throws.

export interface Observer {
  joined(result: 'joined' | 'refused', reason: string, seconds: number): void;
  ticketIssued(door: string, result: string): void;
  messageDelivered(kind: string, result: string): void;
}

export const silentObserver: Observer = {
  joined: () => undefined,
  ticketIssued: () => undefined,
  messageDelivered: () => undefined,
};
