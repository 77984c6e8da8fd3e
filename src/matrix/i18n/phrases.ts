// Owns the list of sentences that the bot says: each language must have every one.
import type { CallErrorCode } from '../../call/errors.ts';
import type { UserId } from '../../call/ids.ts';

export interface Phrases {
  /** Name of the widget in the room. */
  readonly widgetName: string;
  readonly join: string;
  /** As join, for the people of that organisation. */
  joinAt(organisation: string): string;
  readonly inProgress: string;
  /** As inProgress, of a call that another bridge has announced before. */
  readonly continues: string;
  /** The call goes on, announced by the bridge of that organisation. */
  moved(organisation: string): string;
  /** Picture and sound do not pass between that organisation and ours. */
  impaired(organisation: string): string;
  readonly ended: string;
  readonly nobodyYet: string;
  readonly nobodyCame: string;
  readonly callPage: string;
  people(count: number): string;
  others(count: number): string;
  /** Whole minutes, at least one. */
  duration(minutes: number): string;
  readonly underAMinute: string;
  widgetForbidden(bot: UserId, level: number | undefined): string;
  introduction(prefix: string): string;
  /** In clear in an encrypted room, where the bot runs without encryption. */
  readonly encryptionIsOff: string;
  /** A command in clear in an encrypted room. */
  readonly commandInClear: string;
  /** The key of a message did not come. */
  readonly noKey: string;
  alreadyRunning(link: string): string;
  since(duration: string): string;
  readonly noCall: string;
  readonly callEndedByYou: string;
  readonly languageSet: string;
  readonly codeTaken: string;
  readonly tooOld: string;
  unknownCommand(prefix: string): string;
  usage(usage: string): string;
  readonly help: { readonly title: string; readonly start: string; readonly status: string; readonly end: string; readonly language: string; readonly code: string; readonly help: string };
  readonly declined: string;
  readonly onlyBotsLeft: string;
  readonly upgradeNotConfirmed: string;
  refusal(code: CallErrorCode, ref: string): string;
}
