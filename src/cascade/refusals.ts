// Owns the refusals of introductions (docs/errors.md): counted by code, logged once in a while.
import type { ServerName } from '../call/ids.ts';
import type { Clock } from '../control/ports/clock.ts';
import type { LogKeys, Logger } from '../log/logger.ts';
import { sometimes } from '../util/sometimes.ts';

/** What to do about each is in docs/errors.md. */
export const introductionRefusals = {
  introductionShape: 'is of another shape',
  notListed: 'by a server that is no neighbour',
  introductionReplay: 'bears a nonce that was used',
  introductionFlood: 'is one of too many',
  introductionVersion: 'offers no version that this bridge speaks',
  introductionToken: 'bears a token that is not its speaker\'s',
  introductionUnverified: 'could not be verified at its homeserver',
  introductionUnanswered: 'cannot be answered: its bridge is not found or does not take the key',
  introductionUnconfirmed: 'was not taken back by that server\'s bridge: it has not asked, or could not verify us',
  confirmationUnasked: 'answers no request of ours',
  confirmationToken: 'bears a token that is not its speaker\'s',
} as const;

export type IntroductionRefusal = keyof typeof introductionRefusals;

/** `server` is what the sender says that it is. */
export type CountRefusal = (code: IntroductionRefusal, server: ServerName | undefined, keys?: LogKeys) => void;

/** @param count tells each refusal to whoever keeps the figures of that server */
export function refusalLog(clock: Clock, log: Logger, count: (code: IntroductionRefusal, server: ServerName | undefined) => void): CountRefusal {
  const mayLog = new Map<IntroductionRefusal, () => boolean>();
  return (code, server, keys = {}) => {
    count(code, server);
    const may = mayLog.get(code) ?? sometimes(clock);
    mayLog.set(code, may);
    if (may()) log.warn('introduction refused', { code, server, why: introductionRefusals[code], ...keys });
  };
}
