// Owns what the bot says in English.
import type { CallErrorCode } from '../../call/errors.ts';
import type { Phrases } from './phrases.ts';

const refusals: Readonly<Partial<Record<CallErrorCode, string>>> = {
  startForbidden: 'Your power level in this room is too low to start a call. Ask a moderator of the room.',
  forbidden: 'Your power level in this room is too low for that. Ask a moderator of the room.',
  callEnded: 'There is no call.',
  badRequest: 'This code is not valid: it is unknown, used or expired. Reload the page to get another one.',
  tooManyRequests: 'Too many attempts. Wait a minute and try again.',
  draining: 'The service is restarting. Try again in a minute.',
  homeserverUnavailable: 'The homeserver does not answer. Try again in a minute.',
  mediaUnavailable: 'The call service is not available. Try again in a minute.',
};

export const en: Phrases = {
  widgetName: 'Call',
  join: 'Join',
  inProgress: 'Call in progress',
  ended: 'Call ended',
  nobodyYet: 'nobody yet',
  nobodyCame: 'nobody came',
  callPage: 'Page of the call',
  people: (count) => (count === 1 ? '1 person' : `${count} people`),
  others: (count) => (count === 1 ? '1 other organisation' : `${count} other organisations`),
  duration: (minutes) => (minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`),
  underAMinute: 'less than a minute',
  widgetForbidden: (bot, level) => `I may not show the call inside the room: an administrator of the room can give ${bot} power level ${level === undefined ? 'to change widgets' : level}.`,
  introduction: (prefix) => `Hello! Write ${prefix} to start a call in this room, ${prefix} help to see what I can do.`,
  introductionEncrypted: 'Hello! This room is encrypted and I cannot read encrypted messages yet: I will not answer here. Make a room without encryption for calls.',
  alreadyRunning: (link) => `A call is in progress already: ${link}`,
  since: (duration) => `for ${duration}`,
  noCall: 'There is no call.',
  callEndedByYou: 'The call has ended.',
  languageSet: 'I speak English in this room.',
  codeTaken: 'Done: the page in your browser goes on by itself.',
  tooOld: 'Your command reached me too late, so I did not run it. Say it again if you still want it.',
  unknownCommand: (prefix) => `I do not know this command. ${prefix} help lists them.`,
  usage: (usage) => `Please write: ${usage}`,
  help: {
    title: 'What I can do:',
    start: 'start a call, or find the one in progress',
    status: 'say who is in the call',
    end: 'end the call for everybody (who started it, or a moderator)',
    language: 'change my language in this room',
    code: 'enter the call with the code that your browser shows',
    help: 'show this help',
  },
  declined: 'This service is for certain organisations, and your server is not on their list. Ask the administrator of this service.',
  onlyBotsLeft: 'Only bots are left in this room.',
  upgradeNotConfirmed: 'This room does not say that it replaces the one that sent me here.',
  refusal: (code, ref) => `${refusals[code] ?? 'I could not do that. Try again, and report this reference if it happens again.'} (ref. ${ref})`,
};
