// Owns drill 43: a bridge that is not on the list, and one on the list that claims what is not its own.
import { setTimeout as sleep } from 'node:timers/promises';
import { randomBytes } from 'node:crypto';
import { isParticipantId, isTrackId, isUserId, parse } from '../../call/ids.ts';
import type { PeerPerson } from '../../control/ports/peer-links.ts';
import { Browsers } from '../browser.ts';
import type { Drill } from '../drill.ts';
import { FalseNeighbour, roomOf } from '../false-neighbour.ts';
import { buildGround } from '../ground.ts';
import { awaitMedia, rosterOf, seatGuest, smallPicture } from '../guests.ts';
import { Party } from '../people.ts';

const lookMs = 2000;
const mostTracks = 12;
const mostPeople = 500;

export const drill43: Drill = {
  id: '43',
  sentence: 'A bridge that is not listed, and a listed one that claims rooms, people and orders that are not its own: nothing is given. n people too many.',
  usualN: 100,
  async run({ n, report, basePort, folder }) {
    // The first lists the liar, the second does not.
    await using ground = await buildGround({ basePort, folder, report, organisations: 3, played: [2], neighbours: (place) => (place === 0 ? [1, 2] : [0]) });
    await using browsers = await Browsers.open();
    const party = await Party.gather(ground, [2, 1, 1]);
    const closed = await party.closedRoom(party.person('a2'));
    const [lister, other] = [ground.bridge(0), ground.bridge(1)];
    await party.startCall(party.person('a1'));
    const guests = [await seatGuest(party, browsers, { person: party.person('a1'), page: 'a', publish: smallPicture(1) }), await seatGuest(party, browsers, { person: party.person('b1'), page: 'b', publish: smallPicture(2) })] as const;
    await awaitMedia(guests, { others: 1, tracks: 2 });
    await using liar = await FalseNeighbour.open(ground, 2, basePort);

    let startMs = Date.now();
    liar.want(other.serverName);
    await sleep(5000);
    const unlisted = other.log.since(startMs, ({ message }) => message === 'introduction refused').length;
    report.hold('A bridge that is not listed gets no link', !liar.isUp(other.serverName) && unlisted > 0, `${liar.reasonOf(other.serverName)}; ${unlisted} log lines`);
    report.hold('… and that is counted', (await other.strangers('notListed')) > 0, 'in viaduc_introductions_refused of the bridge that refused');

    await liar.linked(lister.serverName);
    for (const [what, room] of [['with nobody of it', closed], ['that is not there', `!${randomBytes(9).toString('base64url')}:${lister.serverName}`]] as const) {
      const answers = await liar.claimCall(lister.serverName, room);
      report.hold(`A call in a room ${what} is refused`, answers.length === 1 && answers[0]?.type === 'callRefused', answers.map(({ type }) => type).join(', '));
    }

    startMs = Date.now();
    await liar.claimCall(lister.serverName, party.roomId);
    const told = liar.announced();
    report.hold('In a shared room it is told the bridge\'s own people only', told.length > 0 && told.every(({ user }) => user.endsWith(lister.serverName)), told.map(({ user }) => user).join(', '));
    const own = person(party.person('c1').userId, 1, 40);
    const strangers = [party.person('a1').userId, party.person('b1').userId, `@absent:${liar.server}`].map((user, index) => person(user, 10 + index, 0));
    liar.say(lister.serverName, { type: 'people', room: roomOf(party.roomId), people: [own, ...strangers] });
    await sleep(lookMs);
    const [first] = guests;
    const view = await first.seat.view();
    const roster = rosterOf(first, view);
    report.hold('Another server\'s people and absent people are refused', roster.join(' ') === ['a1', 'b1', 'c1'].map((name) => party.person(name).userId).toSorted().join(' '), roster.join(' '));
    const said = (what: string): number => lister.log.since(startMs, ({ message }) => message === `${what} of a neighbour refused`).length;
    const refusedPeople = await lister.refusals('person');
    report.hold('… and that is logged and counted', said('person') > 0 && refusedPeople >= strangers.length, `${said('person')} log lines, ${refusedPeople} counted`);
    const mirrored = view.remote.find(({ attributes }) => attributes['user_id'] === own.user);
    report.hold(`Of 40 tracks of one person ${mostTracks} are taken`, mirrored !== undefined && mirrored.tracks.length <= mostTracks, `${mirrored?.tracks.length ?? 0} tracks`);

    const crowd = Array.from({ length: mostPeople + n }, (_, index) => person(own.user, 100 + index, 0));
    liar.say(lister.serverName, { type: 'people', room: roomOf(party.roomId), people: crowd });
    await sleep(3 * lookMs);
    const people = (await first.seat.view()).remote.length;
    report.hold(`Of ${crowd.length} people ${mostPeople} are taken at most`, people <= mostPeople + 2, `${people} others in the call`);
    const late = await seatGuest(party, browsers, { person: party.person('a2'), page: 'a' }).then(() => '', (error: unknown) => (error instanceof Error ? error.message.split('\n')[0] ?? '' : String(error)));
    report.hold('… and the bridge\'s own people still get in', late === '', late === '' ? party.person('a2').userId : late);
    liar.say(lister.serverName, { type: 'people', room: roomOf(party.roomId), people: [own] });
    await sleep(lookMs);

    const wantedBefore = liar.of('refused').length;
    const foreign = view.remote.flatMap(({ tracks }) => tracks.map(({ sid }) => sid));
    const wishes = [...foreign, 'TR_nowhere1'].map((id) => parse(isTrackId, id, 'track id'));
    for (const track of wishes) liar.say(lister.serverName, { type: 'want', room: roomOf(party.roomId), track, layer: 2 });
    await sleep(lookMs);
    report.hold('Tracks of others than the bridge\'s own are refused', liar.of('refused').length - wantedBefore === wishes.length && liar.of('offer').length === 0, `${liar.of('refused').length - wantedBefore} of ${wishes.length} refused, ${liar.of('offer').length} offered`);

    startMs = Date.now();
    for (const by of [own.user, parse(isUserId, party.person('a1').userId, 'user id')]) liar.say(lister.serverName, { type: 'end', room: roomOf(party.roomId), by, atMs: Date.now() });
    await sleep(lookMs);
    const orders = await lister.refusals('order');
    report.hold('Orders that the room does not cover are ignored', orders === 2 && said('order') > 0 && (await first.seat.view()).state === 'connected', `${said('order')} log lines, ${orders} of 2 counted`);

    const given = ground.border.crossed(0, 2).packets + ground.border.crossed(1, 2).packets;
    report.hold('No media were given', given === 0, `${given} packets`);
    report.hold('The honest neighbour\'s link was not touched', lister.log.since(0, ({ message, keys }) => message === 'neighbour lost' && keys['peer'] === other.serverName).length === 0, other.serverName);
    report.figures['refusals'] = (await lister.metrics()).split('\n').filter((line) => line.startsWith('viaduc_neighbour_refusals{'));
    return { value: given, limit: 0 };
  },
};

function person(user: string, device: number, tracks: number): PeerPerson {
  return {
    id: parse(isParticipantId, `PA_false${device}`, 'participant id'),
    user: parse(isUserId, user, 'user id'),
    device,
    name: 'False',
    joinedAtMs: Date.now(),
    active: true,
    metadata: '',
    attributes: new Map(),
    tracks: Array.from({ length: tracks }, (_, index) => ({ id: parse(isTrackId, `TR_false${device}x${index}`, 'track id'), kind: 'audio' as const, source: 'unknown' as const, name: '', stream: '', muted: false, width: 0, height: 0, layers: [], encryption: 'none' as const, audioFeatures: [] })),
  };
}
