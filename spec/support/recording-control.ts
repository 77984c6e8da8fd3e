// Owns a control/ that only takes notes: what the Matrix side asks and tells, without calls behind it.
import type { RoomId, UserId } from '../../src/call/ids.ts';
import type { CallError } from '../../src/call/errors.ts';
import type { RoomCommands, CallStatus } from '../../src/control/ports/room-commands.ts';
import type { RoomListener } from '../../src/control/ports/room-directory.ts';
import type { Language } from '../../src/control/ports/room-voice.ts';
import { err, ok } from '../../src/util/result.ts';
import { slug } from './builders.ts';

export type Note = readonly [what: string, ...details: unknown[]];
export interface Said {
  readonly room: RoomId;
  readonly key: string;
  readonly content: Readonly<Record<string, unknown>>;
}

export interface RecordingControl {
  readonly commands: RoomCommands;
  readonly listener: RoomListener;
  /** Everything asked and told but `say`, in order. */
  readonly notes: Note[];
  readonly said: Said[];
  /** What the next answers are. */
  refusal: CallError | undefined;
  status: CallStatus | undefined;
  running: boolean;
  language: Language;
  /** Called by `say`: to deliver at once. */
  onSay: (said: Said) => void;
}

export const theSlug = slug('abcdefghijklmnopqrst');

export function recordingControl(language: Language = 'fr'): RecordingControl {
  const notes: Note[] = [];
  const said: Said[] = [];
  const note = (...entry: Note) => void notes.push(entry);
  const answer = <T>(value: T) => Promise.resolve(control.refusal === undefined ? ok(value) : err(control.refusal));
  const tell = (...entry: Note) => {
    note(...entry);
    return Promise.resolve();
  };
  const control: RecordingControl = {
    notes,
    said,
    refusal: undefined,
    status: undefined,
    running: false,
    language,
    onSay: () => undefined,
    commands: {
      start: (room, by, eventId) => {
        note('start', room, by, eventId);
        return answer({ started: !control.running, slug: theSlug });
      },
      status: (room) => {
        note('status', room);
        return Promise.resolve(control.status);
      },
      end: (room, by) => {
        note('end', room, by);
        return answer(undefined);
      },
      setLanguage: (room, by, chosen) => {
        note('setLanguage', room, by, chosen);
        if (control.refusal === undefined) control.language = chosen;
        return answer(undefined);
      },
      language: () => control.language,
      hasCode: () => false,
      claimCode: (room, by, code) => {
        note('claimCode', room, by, code);
        return answer(undefined);
      },
      say: (room, key, content) => {
        said.push({ room, key, content });
        control.onSay({ room, key, content });
      },
    },
    listener: {
      memberCame: (room: RoomId, user: UserId) => tell('memberCame', room, user),
      memberGone: (room: RoomId, user: UserId) => tell('memberGone', room, user),
      powerLevelsChanged: (room) => tell('powerLevelsChanged', room),
      roomLost: (room) => tell('roomLost', room),
      roomUpgraded: (from, to) => tell('roomUpgraded', from, to),
    },
  };
  return control;
}
