// Owns the choice of the language and the filling of sentences. No DOM.
import { en, type MessageKey, type Messages } from './en.ts';
import { fr } from './fr.ts';

export type Language = 'fr' | 'en';
export type Values = Readonly<Record<string, string | number>>;

/** A sentence by its key; plural() picks `<key>-one` or `<key>-other` by the language's own rule and fills {count} unless told otherwise. */
export interface Translate {
  readonly language: Language;
  (key: MessageKey, values?: Values): string;
}

const messages: Readonly<Record<Language, Messages>> = { fr, en };

/**
 * The first wish that names a language of the page. Wishes are BCP 47 tags, "fr-CA" or "en_GB" alike.
 * @param fallback what to speak when no wish can be met.
 */
export function pickLanguage(wishes: readonly (string | undefined)[], fallback: Language): Language {
  for (const wish of wishes) {
    const primary = wish?.toLowerCase().split(/[-_]/)[0];
    if (primary === 'fr' || primary === 'en') return primary;
  }
  return fallback;
}

/** Puts the values where the sentence has {name}; a name without a value stays visible. */
export function fill(sentence: string, values: Values): string {
  return sentence.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The sentences of one language. */
export function createTranslate(language: Language): Translate {
  const translate = (key: MessageKey, values: Values = {}): string => fill(messages[language][key], values);
  return Object.assign(translate, { language });
}

type PluralKey = { [K in MessageKey]: K extends `${infer Stem}-other` ? Stem : never }[MessageKey];

/** The sentence for a number of things: `<key>-one` or `<key>-other`, by the rule of the language (French: 0 is singular). */
export function plural(t: Translate, key: PluralKey, count: number, values: Values): string {
  const form = new Intl.PluralRules(t.language).select(count) === 'one' ? 'one' : 'other';
  return t(`${key}-${form}`, values);
}
