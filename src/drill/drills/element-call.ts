// Owns the drill element-call: people of one organisation in unmodified Element Call, in each mode, in plain and in encrypted rooms.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { organisationPorts } from '../../demo/organisations.ts';
import { waitFor } from '../../demo/check/wait.ts';
import type { Drill, DrillContext } from '../drill.ts';
import { Stage, type Actor, type Mode } from '../element-call/stage.ts';
import { buildGround, type Ground } from '../ground.ts';
import { Party, type Person } from '../people.ts';

interface Meeting {
  readonly name: string;
  readonly mode: Mode;
  readonly encrypted: boolean;
}

const meetings: readonly Meeting[] = [
  { name: 'compatibility', mode: 'compatibility', encrypted: false },
  { name: 'compatibility, encrypted', mode: 'compatibility', encrypted: true },
  { name: 'matrix_2_0', mode: 'matrix_2_0', encrypted: false },
  { name: 'matrix_2_0, encrypted', mode: 'matrix_2_0', encrypted: true },
];
/** Two or three seconds of a picture. */
const wantedFrames = 60;
const audibleEnergy = 0.0001;
const mediaMs = 90_000;
const levelsSchema = z.looseObject({ events: z.record(z.string(), z.number()).default({}) });

export const elementCall: Drill = {
  id: 'element-call',
  sentence: 'n people of one organisation in unmodified Element Call, in each of its modes, in plain and in encrypted rooms: they see and hear each other, and speak to their own bridge only.',
  usualN: 2,
  async run(context) {
    const { basePort, folder, report } = context;
    await using ground = await buildGround({ basePort, folder, report, organisations: 1, withTransports: true });
    let strangeWires = 0;
    for (const [index, meeting] of meetings.entries()) strangeWires += await meet(context, ground, { ...meeting, first: 1 + index * context.n });
    return { value: strangeWires, limit: 0 };
  },
};

/** In a room of its own. @returns how many sockets and flows go elsewhere */
async function meet({ n, report, basePort, folder }: DrillContext, ground: Ground, { name: meeting, mode, encrypted, first }: Meeting & { readonly first: number }): Promise<number> {
  const party = await Party.gather(ground, [n], { first });
  await allowCalls(party.person(`a${first}`), party.roomId);
  if (encrypted) await party.person(`a${first}`).api.tell('PUT', statePath(party.roomId, 'm.room.encryption'), { algorithm: 'm.megolm.v1.aes-sha2' });
  for (const person of party.people) await rename(person);
  await using stage = await Stage.open();
  const seats: { readonly person: Person; readonly actor: Actor }[] = [];
  for (const person of party.people) seats.push({ person, actor: await stage.enter(person, { homeserver: ground.homeserver(person.place).publicUrl, room: party.roomId, mode }) });

  const startMs = performance.now();
  let fewestFrames = Infinity;
  for (const { person, actor } of seats) {
    let seen = '';
    try {
      await waitFor(`the others at ${person.name}'s`, async () => {
        const media = await actor.media();
        const pictures = media?.videos.filter(({ frames }) => frames > wantedFrames) ?? [];
        const voices = media?.audios.filter(({ energy }) => energy > audibleEnergy) ?? [];
        seen = `${pictures.length} pictures (${pictures.map(({ frames, width, height }) => `${frames} × ${width}×${height}`).join(', ')}), ${voices.length} voices (${voices.map(({ energy }) => energy.toFixed(4)).join(', ')})`;
        fewestFrames = Math.min(fewestFrames, ...pictures.map(({ frames }) => frames));
        return pictures.length >= n - 1 && voices.length >= n - 1 ? undefined : `${seen}; it shows: ${await actor.text()}`;
      }, mediaMs);
      report.hold(`${meeting}: ${person.name} sees and hears ${n - 1}`, true, seen);
    } catch (error) {
      report.hold(`${meeting}: ${person.name} sees and hears ${n - 1}`, false, error instanceof Error ? error.message : String(error));
    }
    await actor.picture(join(folder, `${person.name}.png`));
    writeFileSync(join(folder, `${person.name}.log`), actor.log.join('\n'));
  }
  report.figures[`seconds.${meeting}`] = Number(((performance.now() - startMs) / 1000).toFixed(1));
  report.figures[`fewestFrames.${meeting}`] = Number.isFinite(fewestFrames) ? fewestFrames : 0;

  let strangeWires = 0;
  for (const { person, actor } of seats) {
    const { sockets = [], remotes = [] } = (await actor.media()) ?? {};
    const own = ground.bridge(person.place).publicUrl.replace(/^http/, 'ws');
    const { media, cascade } = organisationPorts(basePort, person.place);
    const strange = [...sockets.filter((origin) => origin !== own), ...remotes.filter(({ address, port }) => address !== '127.0.0.1' || port < media || port >= cascade).map(({ address, port }) => `${address}:${port}`)];
    strangeWires += strange.length;
    const { decrypted, tracks } = await actor.decrypted();
    report.hold(`${meeting}: what ${person.name} receives is ${encrypted ? 'encrypted' : 'in clear'}`, tracks > 0 && decrypted === (encrypted ? tracks : 0), `${decrypted} of ${tracks} tracks decrypted`);
    report.hold(`${meeting}: ${person.name} speaks to its own bridge only`, strange.length === 0 && sockets.length > 0 && remotes.length > 0, strange.length === 0 ? `${sockets.length} sockets, ${remotes.length} flows` : `also to ${strange.join(', ')}`);
  }
  return strangeWires;
}

/** A name as people have them: tokens, SDP and tiles must bear it. */
async function rename({ api, userId, name }: Person): Promise<void> {
  await api.tell('PUT', `/_matrix/client/v3/profile/${encodeURIComponent(userId)}/displayname`, { displayname: `Zoé Lefèvre ÿ? ${name}` });
}

/** In a room that Element has not made, members may not say that they are in a call until its owner lets them. */
async function allowCalls(owner: Person, room: string): Promise<void> {
  const path = statePath(room, 'm.room.power_levels');
  const levels = await owner.api.ask({ method: 'GET', path, answer: levelsSchema });
  await owner.api.tell('PUT', path, { ...levels, events: { ...levels.events, 'org.matrix.msc3401.call.member': 0 } });
}

function statePath(room: string, type: string): string {
  return `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/state/${type}/`;
}
