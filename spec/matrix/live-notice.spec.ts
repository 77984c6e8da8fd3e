// Owns the proof of how a call is told in its notice.
import assert from 'node:assert/strict';
import { isEventId, parse } from '../../src/call/ids.ts';
import type { CallNotice } from '../../src/control/ports/room-voice.ts';
import { editContent, noticeContent } from '../../src/matrix/live-notice.ts';
import { labelOf } from '../../src/matrix/notice-text.ts';
import { alice, serverName, slug, theRoom, userId } from '../support/builders.ts';
import { deepFreeze } from '../support/frozen.ts';

const bot = userId('@visio:interieur.example.org');
const addresses = { publicUrl: 'https://visio.example.org', organisations: new Map([[serverName('finances.example.org'), 'Finances & Co']]) };
const theSlug = slug('abcdefghijklmnopqrst');
const minute = 60_000;
const people = (...counts: readonly (readonly [server: string, count: number])[]) => counts.map(([server, count]) => ({ server: serverName(server), count }));
const some = people(['interieur.example.org', 2], ['finances.example.org', 1]);

const notice = (change: Partial<CallNotice> = {}): CallNotice =>
  deepFreeze({ room: theRoom, callId: 'C_abcdefgh', slug: theSlug, state: 'open', movedTo: undefined, continued: false, pages: [], impaired: [], startedBy: alice, startedAtMs: 0, endedAtMs: undefined, people: some, widgetSet: true, language: 'fr', ...change });
const body = (change: Partial<CallNotice>, widgetLevel?: number) => noticeContent(notice(change), { addresses, bot, widgetLevel })['body'];
const link = `https://visio.example.org/c/${theSlug}`;
const ended = (minutes: number): Partial<CallNotice> => ({ state: 'ended', endedAtMs: minutes * minute });

describe('the notice of a call', () => {
  const rows: readonly (readonly [what: string, change: Partial<CallNotice>, text: string])[] = [
    ['with people', {}, `Appel en cours · 3 personnes · interieur 2, Finances & Co 1 · ${link}`],
    ['with people, in English', { language: 'en' }, `Call in progress · 3 people · interieur 2, Finances & Co 1 · ${link}`],
    ['with one person', { people: people(['interieur.example.org', 1]) }, `Appel en cours · 1 personne · interieur 1 · ${link}`],
    ['with nobody yet', { people: [] }, `Appel en cours · personne pour l’instant · ${link}`],
    ['with many organisations', { people: people(...Array.from({ length: 12 }, (_, n) => [`o${n}.example.org`, 1] as const)) }, `Appel en cours · 12 personnes · ${Array.from({ length: 8 }, (_, n) => `o${n} 1`).join(', ')}, 4 autres organisations · ${link}`],
    ['taken over from a bridge that was lost', { continued: true }, `Appel en cours (suite) · 3 personnes · interieur 2, Finances & Co 1 · ${link}`],
    ['for which another bridge speaks now', { state: 'moved', movedTo: serverName('finances.example.org') }, 'L’appel continue : voir l’annonce de Finances & Co'],
    ['for which another bridge speaks now, in English', { state: 'moved', movedTo: serverName('finances.example.org'), language: 'en' }, 'The call goes on: see the announcement of Finances & Co'],
    ['while media do not pass', { impaired: [serverName('finances.example.org')] }, `Appel en cours · 3 personnes · interieur 2, Finances & Co 1 · ${link}\nL’image et le son ne passent plus avec Finances & Co.`],
    ['with a page for each organisation', { pages: [{ server: serverName('finances.example.org'), url: 'https://visio.finances.example.org/c/x' }] }, `Appel en cours · 3 personnes · interieur 2, Finances & Co 1 · interieur ${link} · Finances & Co https://visio.finances.example.org/c/x`],
    ['ended', ended(12), 'Appel terminé · 12 min · interieur 2, Finances & Co 1'],
    ['ended, in English', { ...ended(12), language: 'en' }, 'Call ended · 12 min · interieur 2, Finances & Co 1'],
    ['ended at once', ended(0.4), 'Appel terminé · moins d’une minute · interieur 2, Finances & Co 1'],
    ['ended after hours', ended(125), 'Appel terminé · 2 h 05 · interieur 2, Finances & Co 1'],
    ['ended, and nobody came', { ...ended(5), people: [] }, 'Appel terminé · personne n’est venu'],
    ['ended without a widget', { ...ended(12), widgetSet: false }, 'Appel terminé · 12 min · interieur 2, Finances & Co 1'],
  ];
  for (const [what, change, text] of rows) it(what, () => assert.equal(body(change), text));

  it('says who may let the bot show the widget', () => {
    const sentence = (level: string) => `Je n’ai pas le droit d’afficher l’appel dans le salon : un administrateur du salon peut donner à ${bot} le niveau ${level}.`;
    assert.equal(body({ widgetSet: false }, 50), `Appel en cours · 3 personnes · interieur 2, Finances & Co 1 · ${link}\n${sentence('50')}`);
    assert.equal(body({ widgetSet: false }), `Appel en cours · 3 personnes · interieur 2, Finances & Co 1 · ${link}\n${sentence('nécessaire pour modifier les widgets')}`);
  });

  it('escapes what goes into HTML', () => {
    const content = noticeContent(notice(), { addresses: { publicUrl: 'https://visio.example.org/?a=1&b="2"', organisations: new Map([[serverName('interieur.example.org'), '<img src=x onerror=alert(1)>']]) }, bot, widgetLevel: undefined });
    assert.equal(content['formatted_body'], `Appel en cours · 3 personnes · &lt;img src=x onerror=alert(1)&gt; 2, finances 1 · <a href="https://visio.example.org/?a=1&amp;b=&quot;2&quot;/c/${theSlug}">Rejoindre</a>`);
  });

  it('is edited with the new content in both forms', () => {
    const content = deepFreeze(noticeContent(notice(ended(12)), { addresses, bot, widgetLevel: undefined }));
    const noticeId = parse(isEventId, '$notice', 'event id');
    const edit = editContent(content, noticeId);
    assert.deepEqual(edit['m.new_content'], content);
    assert.deepEqual(edit['m.relates_to'], { rel_type: 'm.replace', event_id: noticeId });
    assert.deepEqual([edit['body'], edit['fr.viaduc.call']], [`* ${String(content['body'])}`, content['fr.viaduc.call']]);
  });
});

describe('the label of an organisation', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['interieur.example.org', 'interieur'],
    ['interieur.localhost:18440', 'interieur'],
    ['localhost:8448', 'localhost'],
    ['finances.example.org', 'Finances & Co'],
    ['1.2.3.4:8448', '1.2.3.4:8448'],
    ['[::1]:8448', '[::1]:8448'],
    ['.example', '.example'],
  ];
  for (const [server, label] of rows) it(`${server} → ${label}`, () => assert.equal(labelOf(addresses, serverName(server)), label));
});
