// Specifies what crosses from one person to another, between unmodified clients: names, mutes, hands, screens, leaving.
import assert from 'node:assert/strict';
import type { MatrixUser } from '../../support/matrix-user.ts';
import { trackOf, type RoomView, type TrackView } from '../../support/rtc-client.ts';
import type { Scenario } from './scenario.ts';

type Person = RoomView['remote'][number];

export const crossing: readonly Scenario[] = [
  {
    name: 'carries names, organisations, mutes, hands, roles, speakers, screens and leaving between people, both ways',
    play: async ({ env, alice, bob, connect }) => {
      const room = await env.room(alice, bob);
      const { slug } = await env.startCall(alice, room);
      const [a, b] = [await connect(alice, slug), await connect(bob, slug)];
      for (const client of [a, b]) await client.run('publishDrawn', { width: 320, height: 180, framesPerSecond: 10, frequency: 440 });
      const sides = [{ me: a, other: b, otherUser: bob, label: 'Finance' }, { me: b, other: a, otherUser: alice, label: 'Interior' }];
      for (const { me, other, otherUser, label } of sides) {
        const otherNow = (check: (person: Person, view: RoomView) => string | undefined) => me.sees((view) => {
          const person = personOf(view, otherUser);
          return person === undefined ? 'the other is not there' : check(person, view);
        });
        await otherNow(({ identity }, view) => playing(trackOf(view, identity, 'camera'), trackOf(view, identity, 'microphone')));
        await otherNow(({ attributes }) => (attributes['organisation'] === label && attributes['user_id'] === otherUser.userId ? undefined : `the attributes are ${JSON.stringify(attributes)}`));
        assert.equal(personOf(await me.view(), otherUser)?.name, otherUser.userId.slice(1, otherUser.userId.indexOf(':')));
        await otherNow(({ identity }, { speakers }) => (speakers.includes(identity) ? undefined : 'nobody says that they speak'));

        await other.run('setAttributes', { handRaisedAt: 'now' });
        await otherNow(({ attributes }) => (attributes['handRaisedAt'] === 'now' ? undefined : 'the hand is not raised'));
        await other.run('setAttributes', { handRaisedAt: '' });
        await otherNow(({ attributes }) => (attributes['handRaisedAt'] === undefined ? undefined : 'the hand is still raised'));

        const roleIs = (role: string) => otherNow(({ attributes }) => (attributes['role'] === role ? undefined : `the role is ${attributes['role'] ?? 'not told'}`));
        // Alice has made the room; what a client says of its own role counts for nothing.
        await roleIs(otherUser === bob ? 'participant' : 'owner');
        if (otherUser === bob) {
          for (const claim of [{ role: 'owner' }, { user_id: alice.userId }, { organisation: 'Somebody' }]) await assert.rejects(other.run('setAttributes', claim), /refused/);
          await alice.setPowerLevel(room, bob.userId, 50);
          await roleIs('moderator');
          await otherNow(({ attributes }) => (attributes['organisation'] === label && attributes['user_id'] === bob.userId ? undefined : `the attributes are ${JSON.stringify(attributes)}`));
        }

        await other.run('microphone', false);
        await otherNow(({ identity }, view) => (trackOf(view, identity, 'microphone')?.muted === true ? undefined : 'the microphone is not muted'));
        await other.run('microphone', true);
        await otherNow(({ identity }, view) => (trackOf(view, identity, 'microphone')?.muted === false ? undefined : 'the microphone is still muted'));

        await other.run('publishDrawn', { width: 640, height: 360, framesPerSecond: 10, frequency: 300, source: 'screen_share', audioSource: 'screen_share_audio', simulcast: false });
        await otherNow(({ identity }, view) => playing(trackOf(view, identity, 'screen_share'), trackOf(view, identity, 'screen_share_audio')));
        await other.run('unpublish', 'screen_share');
        await other.run('unpublish', 'screen_share_audio');
        await otherNow(({ identity }, view) => (trackOf(view, identity, 'screen_share') === undefined ? undefined : 'the screen is still shared'));
      }
      await b.run('disconnect');
      await a.sees((view) => (personOf(view, bob) === undefined ? undefined : 'the other is still there'));
    },
  },
];

/** A person of another bridge goes by another identity there, which begins with the user id too. */
function personOf({ remote }: RoomView, { userId }: MatrixUser): Person | undefined {
  return remote.find(({ identity }) => identity.startsWith(`${userId}:`));
}

function playing(picture: TrackView | undefined, sound: TrackView | undefined): string | undefined {
  if (picture === undefined || picture.frames < 5) return `${picture?.frames ?? 0} pictures`;
  return sound !== undefined && sound.energy > 0 ? undefined : 'no sound';
}
