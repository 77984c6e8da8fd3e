// Port: requests between bridges that both homeservers carry and sign (MSC4512). Implemented by matrix/.
import type { ServerName } from '../../call/ids.ts';

export interface Introducer {
  /**
   * Sends a request to the application service behind another homeserver, through ours. `path` is relative to
   * `/_matrix/federation/unstable/fr.viaduc/rtc/livekit/`; `body` has a member at least: homeservers send an empty one as none. The answer is the other bridge's, its status included.
   * @throws NotCarried when our homeserver knows no such requests; Error in words when it cannot carry this one, or the other does not answer
   */
  ask(destination: ServerName, path: string, body: object): Promise<{ readonly status: number; readonly content: unknown }>;
  /** Requests that other bridges send in this way; `origin` was verified by our homeserver. One handler per path. */
  answer(path: string, handler: (origin: ServerName, body: unknown) => Promise<{ readonly status: number; readonly content: object }>): void;
}

/** Our homeserver carries no requests between bridges at all. The message is for the operator. */
export class NotCarried extends Error {
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.name = 'NotCarried';
  }
}
