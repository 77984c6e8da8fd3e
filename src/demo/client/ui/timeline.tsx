// Owns the timeline: items in order, kept at its end while one reads there, and messages on their way.
import { useLayoutEffect, useMemo, useRef } from 'react';
import { dayText } from '../i18n/words.ts';
import { nameOf, type Room, type Widget } from '../matrix/room.ts';
import type { ClientState, RoomClient } from '../matrix/room-client.ts';
import { type Change, type TimelineItem, timelineItems } from '../matrix/timeline-items.ts';
import { CallCard } from './call-card.tsx';
import { Message, MessageRow } from './message.tsx';
import { usePage } from './page-context.ts';

interface TimelineProps {
  readonly client: RoomClient;
  readonly state: ClientState;
  readonly widget: Widget | undefined;
  readonly callShown: boolean;
  readonly onJoinCall: () => void;
}

const nearEndPx = 80;

export function Timeline({ client, state, widget, callShown, onJoinCall }: TimelineProps) {
  const { words } = usePage();
  const { room, outgoing } = state;
  const items = useMemo(() => timelineItems(room), [room]);
  const list = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);

  useLayoutEffect(() => {
    const element = list.current;
    if (element === null) return undefined;
    const keep = (): void => {
      if (atEnd.current) element.scrollTop = element.scrollHeight;
    };
    keep();
    const observer = new ResizeObserver(keep);
    observer.observe(element);
    return () => observer.disconnect();
  }, [items, outgoing]);

  return (
    <div
      ref={list}
      className="timeline"
      role="log"
      data-testid="timeline"
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        atEnd.current = scrollHeight - scrollTop - clientHeight < nearEndPx;
      }}
    >
      {room.earlier !== undefined && <button type="button" className="small-button earlier" onClick={() => void client.loadEarlier()}>{words.earlier}</button>}
      <div className="timeline-items">
        {items.map((item) => <Item key={item.key} item={item} room={room} widget={widget} callShown={callShown} onJoinCall={onJoinCall} />)}
        {outgoing.map((message) => (
          <div key={message.txnId} className="outgoing" data-testid="outgoing" data-failed={message.failed}>
            <p>{message.body}</p>
            {message.failed ? <button type="button" className="small-button" onClick={() => void client.sayAgain(message)}>{words.notSent} · {words.again}</button> : <small>{words.sending}</small>}
          </div>
        ))}
      </div>
    </div>
  );
}

interface ItemProps extends Pick<TimelineProps, 'widget' | 'callShown' | 'onJoinCall'> {
  readonly item: TimelineItem;
  readonly room: Room;
}

function Item({ item, room, widget, callShown, onJoinCall }: ItemProps) {
  const { language, words } = usePage();
  if (item.kind === 'day') return <p className="day"><span>{dayText(item.timestampMs, Date.now(), language)}</span></p>;
  if (item.kind === 'change') return <p className="change">{changeText(item.change, nameOf(room, item.who), nameOf(room, item.by))}{item.reason !== undefined && ` (${item.reason})`}</p>;
  if (item.kind === 'deleted') return <MessageRow item={item} room={room}><p className="deleted">{words.deleted}</p></MessageRow>;
  if (item.kind === 'message') return <Message item={item} room={room} />;
  const inRoom = widget !== undefined && sameCall(widget.content.url, item.call.url);
  return (
    <MessageRow item={item} room={room}>
      <CallCard call={item.call} room={room} inRoom={inRoom} shown={inRoom && callShown} onJoin={onJoinCall} />
    </MessageRow>
  );

  function changeText(change: Change, who: string, by: string): string {
    switch (change) {
      case 'created': return words.created(who);
      case 'joined': return words.joined(who);
      case 'left': return words.left(who);
      case 'declined': return words.declined(who);
      case 'invited': return words.wasInvited(who, by);
      case 'kicked': return words.kicked(who, by);
      case 'banned': return words.banned(who, by);
    }
  }
}

/** A widget's address has a query of template variables that the notice's link has not. */
function sameCall(widgetUrl: string, noticeUrl: string | undefined): boolean {
  if (noticeUrl === undefined) return false;
  const [a, b] = [new URL(widgetUrl), new URL(noticeUrl)];
  return a.origin === b.origin && a.pathname === b.pathname;
}
