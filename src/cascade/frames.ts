// Owns the frames of the cascade: the messages of the port, and the two that concern the link itself.
import type { ServerName } from '../call/ids.ts';
import type { PeerMessage } from '../control/ports/peer-links.ts';

export interface Hello {
  readonly type: 'hello';
  readonly version: string;
  readonly serverName: ServerName;
  readonly limits: { readonly people: number; readonly tracksPerPerson: number; readonly framesPerSecond: number; readonly bytesPerSecond: number };
}

export const byeCodes = ['duplicate', 'version', 'forbidden', 'protocolError', 'flood', 'slow', 'stopping', 'timeout'] as const;
export type ByeCode = (typeof byeCodes)[number];

export interface Bye {
  readonly type: 'bye';
  /** `other`: one that we do not know. */
  readonly code: ByeCode | 'other';
  readonly text: string;
}

export type Frame = PeerMessage | Hello | Bye;
