// Owns the content of a call's notice: the line that is edited while the call runs and becomes its summary.
import { serverOf, type EventId, type UserId } from '../call/ids.ts';
import type { CallNotice } from '../control/ports/room-voice.ts';
import { phrasesOf } from './i18n/language.ts';
import type { Phrases } from './i18n/phrases.ts';
import { durationText, htmlLine, labelOf, organisationsText, pageUrl, peopleText, plainLine, shownOrganisations, type Addresses, type Part } from './notice-text.ts';
import { escapeHtml } from './text.ts';

/** Machine-readable twin of the line, for clients and for other bridges. */
const callKey = 'fr.viaduc.call';

export interface NoticeContext {
  readonly addresses: Addresses;
  readonly bot: UserId;
  /** Power level that setting the room's widget takes; undefined: not known now. */
  readonly widgetLevel: number | undefined;
}

export type NoticeContent = Readonly<Record<string, unknown>>;

export function noticeContent(notice: CallNotice, context: NoticeContext): NoticeContent {
  const phrases = phrasesOf(notice.language);
  const parts = partsOf(notice, context, phrases);
  const more = notice.state === 'open' ? remarks(notice, context, phrases) : [];
  return {
    msgtype: 'm.notice',
    body: [plainLine(parts), ...more].join('\n'),
    format: 'org.matrix.custom.html',
    formatted_body: [htmlLine(parts), ...more.map((remark) => `<em>${escapeHtml(remark)}</em>`)].join('<br>'),
    'm.mentions': {},
    [callKey]: {
      call_id: notice.callId,
      state: notice.state,
      started_by: notice.startedBy,
      started_at: notice.startedAtMs,
      ...(notice.endedAtMs !== undefined && { ended_at: notice.endedAtMs }),
      people: notice.people.map(({ server, count }) => ({ server, count })),
      url: pageUrl(context.addresses, notice.slug),
      ...(notice.pages.length > 0 && { pages: Object.fromEntries(notice.pages.map(({ server, url }) => [server, url])) }),
    },
  };
}

/** An edit of the notice (`m.replace`); clients that know no edits see a message that begins with "* ". */
export function editContent(content: NoticeContent, noticeId: EventId): NoticeContent {
  return {
    ...content,
    body: `* ${String(content['body'])}`,
    formatted_body: `* ${String(content['formatted_body'])}`,
    'm.new_content': content,
    'm.relates_to': { rel_type: 'm.replace', event_id: noticeId },
  };
}

function remarks(notice: CallNotice, { addresses, bot, widgetLevel }: NoticeContext, phrases: Phrases): readonly string[] {
  return [
    ...notice.impaired.map((server) => phrases.impaired(labelOf(addresses, server))),
    ...(notice.widgetSet ? [] : [phrases.widgetForbidden(bot, widgetLevel)]),
  ];
}

function partsOf(notice: CallNotice, { addresses, bot }: NoticeContext, phrases: Phrases): readonly Part[] {
  if (notice.movedTo !== undefined) return [phrases.moved(labelOf(addresses, notice.movedTo))];
  return notice.state === 'open' ? openParts(notice, { addresses, bot }, phrases) : endedParts(notice, addresses, phrases);
}

function openParts(notice: CallNotice, context: Pick<NoticeContext, 'addresses' | 'bot'>, phrases: Phrases): readonly Part[] {
  return [notice.continued ? phrases.continues : phrases.inProgress, peopleText(notice.people, context.addresses, phrases) ?? phrases.nobodyYet, ...joinParts(notice, context, phrases)];
}

/** Each organisation's people have a page of their own; who is of none takes the first. */
function joinParts({ slug, pages }: CallNotice, { addresses, bot }: Pick<NoticeContext, 'addresses' | 'bot'>, phrases: Phrases): readonly Part[] {
  const ours = { server: serverOf(bot), url: pageUrl(addresses, slug) };
  if (pages.length === 0) return [{ label: phrases.join, url: ours.url }];
  return [ours, ...pages.slice(0, shownOrganisations - 1)].map(({ server, url }) => {
    const organisation = labelOf(addresses, server);
    return { label: phrases.joinAt(organisation), plain: `${organisation} ${url}`, url };
  });
}

function endedParts(notice: CallNotice, addresses: Addresses, phrases: Phrases): readonly Part[] {
  if (notice.people.length === 0) return [phrases.ended, phrases.nobodyCame];
  return [phrases.ended, durationText((notice.endedAtMs ?? notice.startedAtMs) - notice.startedAtMs, phrases), organisationsText(notice.people, addresses, phrases)];
}
