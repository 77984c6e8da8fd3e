// Owns the checks of the call page's languages: complete, same placeholders, right plurals.
import assert from 'node:assert/strict';
import { en, type MessageKey } from '../../src/web/i18n/en.ts';
import { fr } from '../../src/web/i18n/fr.ts';
import { createTranslate, fill, pickLanguage, plural } from '../../src/web/i18n/language.ts';

const placeholders = (sentence: string): string[] => Array.from(sentence.matchAll(/\{(\w+)\}/g), ([name]) => name).toSorted();
const isKey = (key: string): key is MessageKey => key in en;

describe('web: languages', () => {
  it('has the same keys in French and English, none empty', () => {
    assert.deepEqual(Object.keys(fr).toSorted(), Object.keys(en).toSorted());
    for (const sentence of [...Object.values(fr), ...Object.values(en)]) assert.notEqual(sentence.trim(), '');
  });

  it('has the same placeholders in both', () => {
    for (const key of Object.keys(en).filter(isKey)) assert.deepEqual(placeholders(fr[key]), placeholders(en[key]), key);
  });

  it('puts a non-breaking space before the high punctuation of French', () => {
    for (const sentence of Object.values(fr)) assert.doesNotMatch(sentence, / [:;?!]/);
  });

  it('picks the first language that it speaks', () => {
    assert.equal(pickLanguage(['de', 'fr-CA', 'en'], 'en'), 'fr');
    assert.equal(pickLanguage(['EN_gb'], 'fr'), 'en');
    assert.equal(pickLanguage([undefined, 'pt'], 'fr'), 'fr');
  });

  it('fills values and leaves an unknown name visible', () => {
    assert.equal(fill('{a} and {b}', { a: 1 }), '1 and {b}');
    assert.equal(createTranslate('fr')('call.joined', { name: 'Zoé · finances' }), 'Zoé · finances a rejoint l’appel');
  });

  it('counts as the language does: zero is singular in French', () => {
    assert.deepEqual([0, 1, 2].map((count) => plural(createTranslate('fr'), 'call.people', count, { count })), ['0 personne', '1 personne', '2 personnes']);
    assert.deepEqual([0, 1, 2].map((count) => plural(createTranslate('en'), 'call.people', count, { count })), ['0 people', '1 person', '2 people']);
  });
});
