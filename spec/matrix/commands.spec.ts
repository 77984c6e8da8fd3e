// Owns the proof of what people can say to the bot, and what it answers.
import assert from 'node:assert/strict';
import { callError, callErrorCodes } from '../../src/call/errors.ts';
import { isEventId, parse } from '../../src/call/ids.ts';
import { silentLogger, type LogKeys, type Logger } from '../../src/log/logger.ts';
import { answerContent, commandTable, parseCommand, runCommand } from '../../src/matrix/commands.ts';
import { en } from '../../src/matrix/i18n/en.ts';
import { fr } from '../../src/matrix/i18n/fr.ts';
import { plainLine } from '../../src/matrix/notice-text.ts';
import { alice, bob, carol, serverName, theRoom } from '../support/builders.ts';
import { recordingControl, theSlug, type RecordingControl } from '../support/recording-control.ts';

const eventId = parse(isEventId, '$command', 'event id');
const prefixes = ['!visio', '!call'];
const link = `https://visio.example.org/c/${theSlug}`;
const nowMs = 10_000_000;

async function say(text: string, control: RecordingControl, log: Logger = silentLogger) {
  const words = parseCommand(text, prefixes);
  if (words === undefined) return 'no command';
  const context = { commands: control.commands, addresses: { publicUrl: 'https://visio.example.org', organisations: new Map([[serverName('interieur.example.org'), 'Intérieur']]) }, prefix: '!visio', nowMs, log };
  const answer = await runCommand({ room: theRoom, by: bob, eventId, words }, context);
  return answer?.map(plainLine).join('\n');
}

describe('commands', () => {
  describe('are recognised', () => {
    const rows: readonly (readonly [text: string, words: readonly string[] | undefined])[] = [
      ['!visio', []],
      ['  !visio \n', []],
      ['!Visio', []],
      ['!call', []],
      ['!visio STATUS', ['status']],
      ['!visio\u00A0code\t482  913', ['code', '482', '913']],
      ['!visio\nhelp', ['help']],
      ['!visiophone', undefined],
      ['!viaduc', undefined],
      ['visio', undefined],
      ['dites !visio', undefined],
      ['> <@alice:example.org> !visio\n\nmerci', undefined],
      ['', undefined],
      ['!', undefined],
      ['!visio __proto__', ['__proto__']],
    ];
    for (const [text, words] of rows) it(JSON.stringify(text), () => assert.deepEqual(parseCommand(text, prefixes), words));
  });

  describe('ask of calls and answer', () => {
    const rows: readonly (readonly [text: string, asked: readonly unknown[], answer: string | undefined])[] = [
      ['!visio', [['start', theRoom, bob, eventId]], undefined],
      ['!call start', [['start', theRoom, bob, eventId]], undefined],
      ['!visio end', [['end', theRoom, bob]], 'L’appel est terminé.'],
      ['!visio fin', [['end', theRoom, bob]], 'L’appel est terminé.'],
      ['!visio status', [['status', theRoom]], 'Aucun appel n’est en cours.'],
      ['!visio état', [['status', theRoom]], 'Aucun appel n’est en cours.'],
      ['!visio code 482 913', [['claimCode', theRoom, bob, '482913']], 'C’est noté : la page de votre navigateur continue toute seule.'],
      ['!visio code 482913', [['claimCode', theRoom, bob, '482913']], 'C’est noté : la page de votre navigateur continue toute seule.'],
      ['!visio code', [], 'Il faut écrire : !visio code 482 913'],
      ['!visio code abc', [], 'Il faut écrire : !visio code 482 913'],
      ['!visio code 1', [], 'Il faut écrire : !visio code 482 913'],
      ['!visio code 1234567890123', [], 'Il faut écrire : !visio code 482 913'],
      ['!visio lang en', [['setLanguage', theRoom, bob, 'en']], 'I speak English in this room.'],
      ['!visio langue français', [['setLanguage', theRoom, bob, 'fr']], 'Je parle français dans ce salon.'],
      ['!visio lang', [], 'Il faut écrire : !visio lang fr|en'],
      ['!visio lang de', [], 'Il faut écrire : !visio lang fr|en'],
      ['!visio dance', [], 'Je ne connais pas cette commande. !visio help donne la liste.'],
      ['!visio __proto__', [], 'Je ne connais pas cette commande. !visio help donne la liste.'],
      ['!visio constructor', [], 'Je ne connais pas cette commande. !visio help donne la liste.'],
    ];
    for (const [text, asked, answer] of rows) {
      it(text, async () => {
        const control = recordingControl();
        assert.equal(await say(text, control), answer);
        assert.deepEqual(control.notes, asked);
      });
    }
  });

  it('find the call that runs', async () => {
    const control = recordingControl('en');
    control.running = true;
    assert.equal(await say('!visio', control), `A call is in progress already: ${link}`);
  });

  it('tell people, not connections, by organisation, the largest first', async () => {
    const control = recordingControl();
    const person = (user: typeof alice, server: string) => ({ user, server: serverName(server), connected: true });
    control.status = { slug: theSlug, startedBy: alice, startedAtMs: nowMs - 12 * 60_000, people: [person(bob, 'finances.example.org'), person(alice, 'interieur.example.org'), person(alice, 'interieur.example.org'), person(carol, 'interieur.example.org')] };
    assert.equal(await say('!visio status', control), `Appel en cours depuis 12 min · 3 personnes · Intérieur 2, finances 1 · ${link}`);
    control.status = { ...control.status, people: [], startedAtMs: nowMs };
    assert.equal(await say('!visio status', control), `Appel en cours depuis moins d’une minute · personne pour l’instant · ${link}`);
  });

  it('are all in the help, in both languages', async () => {
    assert.equal(
      await say('!visio help', recordingControl('en')),
      [
        'What I can do:',
        '!visio – start a call, or find the one in progress',
        '!visio status – say who is in the call',
        '!visio end – end the call for everybody (who started it, or a moderator)',
        '!visio code 482 913 – enter the call with the code that your browser shows',
        '!visio lang fr|en – change my language in this room (who may rename it)',
        '!visio help – show this help',
      ].join('\n'),
    );
    assert.equal((await say('!visio aide', recordingControl('fr')))?.split('\n').length, 7);
  });

  it('have words of their own', () => {
    const words = commandTable.flatMap((command) => command.words);
    assert.equal(new Set(words).size, words.length);
  });

  for (const code of callErrorCodes) {
    it(`explain the refusal ${code} with a reference that the log has, and tell no details`, async () => {
      const logged: LogKeys[] = [];
      const control = recordingControl();
      control.refusal = callError(code, 'a detail for the operator');
      const answer = (await say('!visio', control, { ...silentLogger, info: (_message, keys = {}) => void logged.push(keys) })) ?? '';
      const ref = /\(réf\. ([a-z2-9]{8})\)$/.exec(answer)?.[1];
      assert.deepEqual(logged.map((keys) => [keys['ref'], keys['code'], keys['detail']]), [[ref, code, 'a detail for the operator']]);
      assert.doesNotMatch(answer, /detail/);
    });
  }

  it('are answered as a reply, in the thread where they were said', () => {
    const lines = [['Bonjour <b>', { label: 'Rejoindre', url: 'https://x.example/?a=1&b="2"' }], ['fin']];
    assert.deepEqual(answerContent(lines, { eventId, thread: '$root' }), {
      msgtype: 'm.notice',
      body: 'Bonjour <b> · https://x.example/?a=1&b="2"\nfin',
      format: 'org.matrix.custom.html',
      formatted_body: 'Bonjour &lt;b&gt; · <a href="https://x.example/?a=1&amp;b=&quot;2&quot;">Rejoindre</a><br>fin',
      'm.mentions': {},
      'm.relates_to': { rel_type: 'm.thread', event_id: '$root', is_falling_back: false, 'm.in_reply_to': { event_id: eventId } },
    });
    assert.deepEqual(answerContent(lines, { eventId, thread: undefined })['m.relates_to'], { 'm.in_reply_to': { event_id: eventId } });
  });

  it('have every sentence in both languages', () => {
    const sentences = (phrases: typeof fr): readonly string[] => [
      phrases.people(1), phrases.people(2), phrases.others(1), phrases.others(2), phrases.duration(1), phrases.duration(61), phrases.widgetForbidden(bob, 50), phrases.widgetForbidden(bob, undefined),
      phrases.introduction('!visio'), phrases.alreadyRunning(link), phrases.since('1'), phrases.unknownCommand('!visio'), phrases.usage('x'), ...callErrorCodes.map((code) => phrases.refusal(code, 'x')),
      ...Object.values(phrases).filter((value): value is string => typeof value === 'string'), ...Object.values(phrases.help),
    ];
    const [french, english] = [sentences(fr), sentences(en)];
    assert.equal(french.length, english.length);
    for (const [n, sentence] of french.entries()) assert.ok(sentence.length > 0 && (sentence !== english[n] || /^\d+ min$/.test(sentence)), sentence);
  });
});
