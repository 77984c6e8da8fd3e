// Owns how the notice of a call is shown: who is in it by organisation, and the way in; afterwards its summary.
import type { ReactNode } from 'react';
import { timeText } from '../i18n/words.ts';
import { nameOf, type Room } from '../matrix/room.ts';
import type { CallContent } from '../matrix/schemas.ts';
import { Icon } from './icon.tsx';
import { organisationIndex, organisationName, usePage } from './page-context.ts';

interface CallCardProps {
  readonly call: CallContent;
  readonly room: Room;
  /** Whether the room's widget shows this very call. */
  readonly inRoom: boolean;
  readonly shown: boolean;
  readonly onJoin: () => void;
}

export function CallCard({ call, room, inRoom, shown, onJoin }: CallCardProps) {
  const { language, words } = usePage();
  const open = call.state === 'open';
  const total = call.people.reduce((sum, { count }) => sum + count, 0);
  const minutes = Math.round(((call.ended_at ?? 0) - (call.started_at ?? 0)) / 60_000);
  const facts = [
    total === 0 ? (open ? words.nobodyYet : words.nobodyCame) : words.people(total),
    ...(open ? [] : [words.lasted(minutes)]),
  ];
  return (
    <article className="call-card" data-testid="call-card" data-call={call.call_id} data-state={call.state} data-people={total}>
      <span className="call-mark"><Icon name={open ? 'camera' : 'ended'} /></span>
      <div className="call-facts">
        <h4>{open ? words.openCall : words.endedCall}</h4>
        <p>{facts.join(' · ')}</p>
        {call.people.length > 0 && <ul>{call.people.map(({ server, count }) => <Organisation key={server} server={server} count={count} />)}</ul>}
        {call.started_by !== undefined && <p className="call-start">{words.startedBy(nameOf(room, call.started_by), timeText(call.started_at ?? 0, language))}</p>}
      </div>
      {open && <WayIn shown={shown} inRoom={inRoom} url={call.url} onJoin={onJoin}>{shown ? words.shown : words.join}</WayIn>}
    </article>
  );
}

function Organisation({ server, count }: { readonly server: string; readonly count: number }) {
  const page = usePage();
  return <li data-organisation={organisationIndex(page, `@:${server}`)}>{organisationName(page, server)} <strong>{count}</strong></li>;
}

interface WayInProps {
  readonly shown: boolean;
  readonly inRoom: boolean;
  readonly url: string | undefined;
  readonly onJoin: () => void;
  readonly children: ReactNode;
}

/** Inside the room if there is a widget, else the call's own page. */
function WayIn({ shown, inRoom, url, onJoin, children }: WayInProps) {
  if (inRoom || shown) return <button type="button" className="main-button" data-testid="call-join" disabled={shown} onClick={onJoin}>{children}</button>;
  return url === undefined ? null : <a className="main-button" data-testid="call-link" href={url} target="_blank" rel="noopener noreferrer">{children}</a>;
}
