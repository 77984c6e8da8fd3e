// Owns one column: a person's organisation, the room, the call in it, what was said, and where to write.
import { useEffect, useState, useSyncExternalStore } from 'react';
import type { RoomClient } from '../matrix/room-client.ts';
import { CallPanel } from './call-panel.tsx';
import { Composer } from './composer.tsx';
import { Gone } from './gone.tsx';
import { Icon } from './icon.tsx';
import { MemberList } from './member-list.tsx';
import { OrganisationHeader } from './organisation-header.tsx';
import { usePage } from './page-context.ts';
import { Timeline } from './timeline.tsx';

export function Column({ client }: { readonly client: RoomClient }) {
  const { words } = usePage();
  const state = useSyncExternalStore(client.subscribe, client.state);
  const [callWanted, setCallWanted] = useState(false);
  const [membersShown, setMembersShown] = useState(false);
  const { room } = state;
  const widget = room.membership === 'join' ? [...room.widgets.values()][0] : undefined;
  const there = [...room.members.values()].filter(({ membership }) => membership === 'join');

  // The next call must be joined by a press of its own.
  useEffect(() => {
    if (widget === undefined) setCallWanted(false);
  }, [widget]);

  return (
    <section className="column" data-testid={`column-${client.column.localpart}`} data-status={state.status} aria-label={client.column.displayName}>
      <OrganisationHeader client={client} status={state.status} />
      <header className="room-head">
        <div className="room-title">
          <h2>{room.name}</h2>
          {room.topic !== '' && <p>{room.topic}</p>}
        </div>
        <button type="button" className="room-people" aria-expanded={membersShown} data-testid="members-button" onClick={() => setMembersShown(!membersShown)}>
          <Icon name="people" />
          {words.members(there.length)}
        </button>
      </header>
      {state.fault !== undefined && (
        <p className="fault" role="alert" data-testid="fault">
          {state.fault}
          <button type="button" className="plain-button" aria-label={words.close} onClick={() => client.forgetFault()}><Icon name="close" /></button>
        </p>
      )}
      {membersShown && <MemberList client={client} room={room} onClose={() => setMembersShown(false)} />}
      {widget !== undefined && callWanted && <CallPanel client={client} widget={widget} onClose={() => setCallWanted(false)} />}
      <Timeline client={client} state={state} widget={widget} callShown={widget !== undefined && callWanted} onJoinCall={() => setCallWanted(true)} />
      {room.membership === 'join' || room.membership === 'none' ? <Composer client={client} roomName={room.name} /> : <Gone client={client} room={room} />}
    </section>
  );
}
