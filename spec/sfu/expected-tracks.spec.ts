// What people here want of neighbours' tracks: asked for, adjusted, withdrawn, and what of it is told.
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TrackId } from '../../src/call/ids.ts';
import { ExpectedTracks, type Asker } from '../../src/sfu/expected-tracks.ts';
import type { Far } from '../../src/sfu/published-tracks.ts';
import { trackId } from '../support/builders.ts';

const finances: Far = { kind: 'neighbour', name: 'finances.example.org' };
const defense: Far = { kind: 'neighbour', name: 'defense.example.org' };
const picture = trackId('TR_picture');
const sound = trackId('TR_sound');
const both = new Map([[picture, 'video'], [sound, 'audio']] as const);

function given() {
  const told: string[] = [];
  const expected = new ExpectedTracks((_far, track, demand) => told.push(`${track} ${demand === undefined ? 'nobody' : String(demand.layer)}`));
  expected.replace(finances, both);
  const asker = (): Asker & { readonly heard: TrackId[] } => {
    const heard: TrackId[] = [];
    return { heard, trackAvailable: (track) => void heard.push(track) };
  };
  /** What was told since the last look. */
  const tellings = async (): Promise<string[]> => {
    await nextTurn();
    return told.splice(0);
  };
  return { expected, asker, tellings };
}

describe('What is wanted of neighbours', () => {
  it('is the best at first, and nothing more exact for sound', async () => {
    const { expected, asker, tellings } = given();
    expected.ask(picture, asker());
    expected.ask(sound, asker());
    assert.deepEqual(await tellings(), [`${picture} 2`, `${sound} undefined`]);
  });

  it('is what the most demanding viewer wants, told when it changes', async () => {
    const { expected, asker, tellings } = given();
    const [small, large] = [asker(), asker()];
    expected.ask(picture, small);
    expected.adjust(picture, small, { layer: 0 });
    assert.deepEqual(await tellings(), [`${picture} 0`], 'one wish, although it was said in two steps');
    expected.ask(picture, large);
    assert.deepEqual(await tellings(), [`${picture} 2`]);
    expected.adjust(picture, small, { layer: 1 });
    assert.deepEqual(await tellings(), []);
    expected.adjust(picture, large, { paused: true });
    assert.deepEqual(await tellings(), [`${picture} 1`]);
    expected.withdraw(picture, small);
    assert.deepEqual(await tellings(), [`${picture} nobody`]);
    expected.adjust(picture, large, { paused: false });
    assert.deepEqual(await tellings(), [`${picture} 2`]);
    expected.withdrawAll(large);
    assert.deepEqual(await tellings(), [`${picture} nobody`]);
  });

  it('is not told for a wish that lasts no longer than the turn', async () => {
    const { expected, asker, tellings } = given();
    const hidden = asker();
    expected.ask(picture, hidden);
    expected.adjust(picture, hidden, { paused: true });
    assert.deepEqual(await tellings(), []);
    assert.ok(expected.isAskedFor(picture, hidden));
  });

  it('is never more than the top layer', async () => {
    const { expected, asker, tellings } = given();
    const greedy = asker();
    expected.ask(picture, greedy);
    expected.adjust(picture, greedy, { layer: 7 });
    assert.deepEqual(await tellings(), [`${picture} 2`]);
  });

  it('keeps what was said when it is asked for again', async () => {
    const { expected, asker, tellings } = given();
    const viewer = asker();
    expected.ask(picture, viewer);
    expected.adjust(picture, viewer, { layer: 0 });
    expected.ask(picture, viewer);
    assert.deepEqual(await tellings(), [`${picture} 0`]);
  });

  it('is told again, as it is, when the neighbour starts anew', async () => {
    const { expected, asker, tellings } = given();
    expected.ask(picture, asker());
    await tellings();
    expected.retell(defense);
    assert.deepEqual(await tellings(), []);
    expected.retell(finances);
    assert.deepEqual(await tellings(), [`${picture} 2`]);
  });

  it('is nothing for tracks that no neighbour has, or has no more', async () => {
    const { expected, asker, tellings } = given();
    const viewer = asker();
    expected.ask(trackId('TR_nobodys'), viewer);
    assert.equal(expected.isAskedFor(trackId('TR_nobodys'), viewer), false);
    expected.ask(picture, viewer);
    await tellings();
    assert.deepEqual(expected.replace(finances, new Map([[sound, 'audio']])), { over: [picture], added: [] });
    assert.deepEqual(await tellings(), []);
    assert.equal(expected.isAskedFor(picture), false);
  });

  it('leaves a track to the neighbour that had it first', () => {
    const { expected } = given();
    assert.deepEqual(expected.replace(defense, new Map([[picture, 'video']])), { over: [], added: [] });
    assert.equal(expected.kindOf(picture, defense), undefined);
    assert.equal(expected.kindOf(picture, finances), 'video');
    assert.deepEqual(expected.replace(defense, new Map()), { over: [], added: [] });
    assert.equal(expected.kindOf(picture, finances), 'video');
  });

  it('begins anew when a track comes back as something else', async () => {
    const { expected, asker, tellings } = given();
    expected.ask(picture, asker());
    await tellings();
    assert.deepEqual(expected.replace(finances, new Map([[picture, 'audio'], [sound, 'audio']])), { over: [picture], added: [picture] });
    assert.equal(expected.isAskedFor(picture), false);
  });

  it('is answered: who asked hears that it has come, paused or not, and nobody else', () => {
    const { expected, asker } = given();
    const [one, two, other] = [asker(), asker(), asker()];
    expected.ask(picture, one);
    expected.ask(picture, two);
    expected.adjust(picture, two, { paused: true });
    expected.ask(sound, other);
    expected.tellArrived(picture);
    assert.deepEqual([one.heard, two.heard, other.heard], [[picture], [picture], []]);
  });

  it('is nothing any more once the call is over', async () => {
    const { expected, asker, tellings } = given();
    expected.ask(picture, asker());
    expected.close();
    assert.deepEqual(await tellings(), []);
  });
});
