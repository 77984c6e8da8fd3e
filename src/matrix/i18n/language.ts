// Owns the choice of the bot's language.
import type { Language } from '../../control/ports/room-voice.ts';
import { en } from './en.ts';
import { fr } from './fr.ts';
import type { Phrases } from './phrases.ts';

const phrases: Readonly<Record<Language, Phrases>> = { fr, en };

export function phrasesOf(language: Language): Phrases {
  return phrases[language];
}

/** `fr`, `FR`, `fr-FR`, `français`, …; undefined: not one of ours. */
export function parseLanguage(word: string): Language | undefined {
  const lower = word.toLowerCase();
  if (/^(fr|fr-.*|fran[cç]ais|french)$/.test(lower)) return 'fr';
  if (/^(en|en-.*|anglais|english)$/.test(lower)) return 'en';
  return undefined;
}
