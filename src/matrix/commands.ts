// Owns the commands that people write in rooms: their words, their help, what they ask of calls, and the answers.
import type { CallError } from '../call/errors.ts';
import { serverOf, type EventId, type RoomId, type ServerName, type UserId } from '../call/ids.ts';
import type { CallStatus, RoomCommands } from '../control/ports/room-commands.ts';
import type { Logger } from '../log/logger.ts';
import type { Result } from '../util/result.ts';
import { parseLanguage, phrasesOf } from './i18n/language.ts';
import type { Phrases } from './i18n/phrases.ts';
import { durationText, htmlLine, pageUrl, peopleText, plainLine, type Addresses, type OrganisationPeople, type Part } from './notice-text.ts';
import { newRef } from './text.ts';

export interface CommandContext {
  readonly commands: RoomCommands;
  readonly addresses: Addresses;
  readonly prefix: string;
  readonly nowMs: number;
  readonly log: Logger;
}

/** Who says what, where. */
export interface Utterance {
  readonly room: RoomId;
  readonly by: UserId;
  readonly eventId: EventId;
  /** After the prefix, lower case. */
  readonly words: readonly string[];
}

/** One paragraph per line. undefined: the answer comes by itself (the notice). */
export type Answer = readonly (readonly Part[])[] | undefined;

interface Command {
  /** The empty word is the bare prefix. */
  readonly words: readonly string[];
  /** As the help shows it, after the prefix. */
  readonly usage: string;
  readonly help: (phrases: Phrases) => string;
  readonly run: (said: Utterance, context: CommandContext) => Promise<Answer>;
}

/** Ties together what a command understands, does and answers; `parse` gives undefined for words that it cannot use. */
function command<Arguments, Outcome>(definition: {
  readonly words: readonly string[];
  readonly usage: string;
  readonly help: (phrases: Phrases) => string;
  readonly parse: (rest: readonly string[]) => Arguments | undefined;
  readonly ask: (commands: RoomCommands, said: Utterance, args: Arguments) => Promise<Result<Outcome, CallError>>;
  readonly render: (outcome: Outcome, phrases: Phrases, context: CommandContext, args: Arguments) => Answer;
}): Command {
  const { words, usage, help, parse, ask, render } = definition;
  const run = async (said: Utterance, context: CommandContext): Promise<Answer> => {
    const args = parse(said.words.slice(1));
    const before = phrasesOf(context.commands.language(said.room));
    if (args === undefined) return [[before.usage(`${context.prefix} ${usage}`)]];
    const outcome = await ask(context.commands, said, args);
    // Asked again: the command may have changed the language.
    const phrases = phrasesOf(context.commands.language(said.room));
    return outcome.ok ? render(outcome.value, phrases, context, args) : refusal(outcome.error, phrases, said, context.log);
  };
  return { words, usage, help, run };
}

const noArguments = () => ({});
const anyStatus = async (commands: RoomCommands, { room }: Utterance): Promise<Result<CallStatus | undefined, CallError>> => ({ ok: true, value: await commands.status(room) });

export const commandTable: readonly Command[] = [
  command({
    words: ['', 'start'],
    usage: '',
    help: ({ help }) => help.start,
    parse: noArguments,
    ask: (commands, { room, by, eventId }) => commands.start(room, by, eventId),
    render: ({ started, slug }, phrases, { addresses }) => (started ? undefined : [[phrases.alreadyRunning(pageUrl(addresses, slug))]]),
  }),
  command({
    words: ['status', 'statut', 'état', 'etat'],
    usage: 'status',
    help: ({ help }) => help.status,
    parse: noArguments,
    ask: anyStatus,
    render: (status, phrases, { addresses, nowMs }) => [status === undefined ? [phrases.noCall] : statusLine(status, phrases, addresses, nowMs)],
  }),
  command({
    words: ['end', 'stop', 'fin', 'terminer'],
    usage: 'end',
    help: ({ help }) => help.end,
    parse: noArguments,
    ask: (commands, { room, by }) => commands.end(room, by),
    render: (_, phrases) => [[phrases.callEndedByYou]],
  }),
  command({
    words: ['code'],
    usage: 'code 482 913',
    help: ({ help }) => help.code,
    parse: (rest) => /^\d{4,12}$/.exec(rest.join(''))?.[0],
    ask: (commands, { room, by }, code) => commands.claimCode(room, by, code),
    render: (_, phrases) => [[phrases.codeTaken]],
  }),
  command({
    words: ['lang', 'language', 'langue'],
    usage: 'lang fr|en',
    help: ({ help }) => help.language,
    parse: (rest) => parseLanguage(rest.join(' ')),
    ask: (commands, { room, by }, language) => commands.setLanguage(room, by, language),
    render: (_, _phrases, _context, language) => [[phrasesOf(language).languageSet]],
  }),
  command({
    words: ['help', 'aide', '?'],
    usage: 'help',
    help: ({ help }) => help.help,
    parse: noArguments,
    ask: () => Promise.resolve({ ok: true, value: undefined }),
    render: (_, phrases, { prefix }) => [[phrases.help.title], ...commandTable.map(({ usage, help }): readonly Part[] => [`${`${prefix} ${usage}`.trim()} – ${help(phrases)}`])],
  }),
];

/** The words after one of the prefixes, lower case; undefined: the text is no command. */
export function parseCommand(body: string, prefixes: readonly string[]): readonly string[] | undefined {
  const words = body.trim().toLowerCase().split(/\s+/u);
  const [first = '', ...rest] = words;
  return prefixes.includes(first) ? rest.slice(0, 20) : undefined;
}

/** Post: the command ran once and its answer, if any, is returned. Rejects only if a port does. */
export async function runCommand(said: Utterance, context: CommandContext): Promise<Answer> {
  const [word = ''] = said.words;
  const known = commandTable.find(({ words }) => words.includes(word));
  if (known === undefined) return [[phrasesOf(context.commands.language(said.room)).unknownCommand(context.prefix)]];
  return await known.run(said, context);
}

/** The answer as a message that refers to the command, in its thread if it was said in one. */
export function answerContent(lines: readonly (readonly Part[])[], to: { readonly eventId: EventId; readonly thread: string | undefined }): Readonly<Record<string, unknown>> {
  const reply = { 'm.in_reply_to': { event_id: to.eventId } };
  return {
    msgtype: 'm.notice',
    body: lines.map(plainLine).join('\n'),
    format: 'org.matrix.custom.html',
    formatted_body: lines.map(htmlLine).join('<br>'),
    'm.mentions': {},
    'm.relates_to': to.thread === undefined ? reply : { rel_type: 'm.thread', event_id: to.thread, is_falling_back: false, ...reply },
  };
}

function refusal(error: CallError, phrases: Phrases, said: Utterance, log: Logger): Answer {
  const ref = newRef();
  log.info('command refused', { ref, code: error.code, detail: error.detail, room: said.room, user: said.by, event: said.eventId });
  return [[phrases.refusal(error.code, ref)]];
}

function statusLine(status: CallStatus, phrases: Phrases, addresses: Addresses, nowMs: number): readonly Part[] {
  const counts = new Map<ServerName, number>();
  for (const user of new Set(status.people.map((person) => person.user))) counts.set(serverOf(user), (counts.get(serverOf(user)) ?? 0) + 1);
  const people: readonly OrganisationPeople[] = [...counts].map(([server, count]) => ({ server, count })).sort((a, b) => b.count - a.count);
  return [
    `${phrases.inProgress} ${phrases.since(durationText(nowMs - status.startedAtMs, phrases))}`,
    peopleText(people, addresses, phrases) ?? phrases.nobodyYet,
    { label: phrases.join, url: pageUrl(addresses, status.slug) },
  ];
}
