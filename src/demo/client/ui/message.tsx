// Owns one message: who said it and when, its text or HTML, that it was edited.
import { type ReactNode, useMemo } from 'react';
import { timeText } from '../i18n/words.ts';
import { renderHtml, renderText } from '../matrix/html.tsx';
import { nameOf, type Room, serverOf } from '../matrix/room.ts';
import type { TimelineItem } from '../matrix/timeline-items.ts';
import { Avatar } from './avatar.tsx';
import { organisationName, usePage } from './page-context.ts';

export function Message({ item, room }: { readonly item: Extract<TimelineItem, { kind: 'message' }>; readonly room: Room }) {
  const { words } = usePage();
  const { content, continued, edited } = item;
  const { format, formatted_body: html, body } = content;
  const shown = useMemo(() => (format === 'org.matrix.custom.html' && html !== undefined ? renderHtml(html) : renderText(body)), [format, html, body]);
  return (
    <MessageRow item={item} room={room} continued={continued}>
      <div className="text" data-testid={content.msgtype === 'm.notice' ? 'notice' : 'message'} data-type={content.msgtype}>
        {shown}
        {edited && <small className="edited"> ({words.edited})</small>}
      </div>
    </MessageRow>
  );
}

interface MessageRowProps {
  readonly item: { readonly sender: string; readonly timestampMs: number };
  readonly room: Room;
  readonly continued?: boolean;
  readonly children: ReactNode;
}

/** The head of a message, left out when the same person goes on. */
export function MessageRow({ item, room, continued = false, children }: MessageRowProps) {
  const page = usePage();
  const { sender, timestampMs } = item;
  const name = nameOf(room, sender);
  if (continued) return <div className="message message-continued">{children}</div>;
  return (
    <div className="message">
      <Avatar userId={sender} name={name} />
      <p className="message-head">
        <strong>{name}</strong>
        {page.info.botUserIds.includes(sender) && <span className="tag">{page.words.robot}</span>}
        <span>{organisationName(page, serverOf(sender))}</span>
        <time dateTime={new Date(timestampMs).toISOString()}>{timeText(timestampMs, page.language)}</time>
      </p>
      {children}
    </div>
  );
}
