// Owns the checks of how people are named and coloured on the call page.
import assert from 'node:assert/strict';
import { avatarColours, byOrganisation, colourOf, initialsOf, labelFor, personOf, userIdOf } from '../../src/web/stage/people.ts';

describe('web: people', () => {
  it('takes the user id out of an identity, also when the server name holds a port', () => {
    assert.equal(userIdOf('@bob:finances.localhost:19450:PAGE_7XK2'), '@bob:finances.localhost:19450');
    assert.equal(userIdOf('@bob:finances.example:DEV'), '@bob:finances.example');
    assert.equal(userIdOf('@bob:finances.example'), '@bob:finances.example');
  });

  it('believes what the bridge says about a person', () => {
    const person = personOf({ identity: '@bob:finances.localhost:19450:D', name: 'Bob', attributes: { user_id: '@bob:finances.localhost:19450', organisation: 'Finances' } });
    assert.deepEqual(person, { userId: '@bob:finances.localhost:19450', name: 'Bob', organisation: 'Finances' });
    assert.equal(labelFor(person), 'Bob · Finances');
  });

  it('does without: localpart and first label of the server', () => {
    assert.deepEqual(personOf({ identity: '@bob:finances.localhost:19450:D', name: ' ', attributes: {} }), { userId: '@bob:finances.localhost:19450', name: 'bob', organisation: 'finances' });
    assert.equal(personOf({ identity: '@eve:192.0.2.7:8448:D', attributes: {} }).organisation, '192.0.2.7');
    assert.equal(labelFor({ userId: '@x:y', name: 'X', organisation: '' }), 'X');
  });

  it('makes initials of any name', () => {
    assert.deepEqual(
      ['Bob', 'Camille Bernard', 'Jean-Baptiste de La Tour', 'élodie', '👋 Zoé', 'a.b', '   ', '···'].map(initialsOf),
      ['B', 'CB', 'JT', 'É', 'Z', 'AB', '?', '?'],
    );
  });

  it('gives a person one colour of the palette, and people many', () => {
    const colours = Array.from({ length: 200 }, (_, index) => colourOf(`@user${index}:a.example`));
    assert.equal(colourOf('@user7:a.example'), colours[7]);
    assert.deepEqual([...new Set(colours)].toSorted(), Array.from({ length: avatarColours }, (_, index) => index));
  });

  it('groups by organisation in alphabetical order, the unknown last', () => {
    const someone = (name: string, organisation: string) => ({ person: { userId: `@${name}:x`, name, organisation } });
    const groups = byOrganisation([someone('Zoé', 'finances'), someone('X', ''), someone('Éric', 'finances'), someone('Al', 'defense')]);
    assert.deepEqual(groups.map(({ organisation, people }) => [organisation, people.map(({ person }) => person.name)]), [['defense', ['Al']], ['finances', ['Éric', 'Zoé']], ['', ['X']]]);
  });
});
