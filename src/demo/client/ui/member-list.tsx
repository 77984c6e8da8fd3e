// Owns the list of the room's members, and taking somebody out or inviting them again for who may.
import { localpartOf, type Member, powerOf, type Room, serverOf } from '../matrix/room.ts';
import type { RoomClient } from '../matrix/room-client.ts';
import { Avatar } from './avatar.tsx';
import { Icon } from './icon.tsx';
import { organisationName, usePage } from './page-context.ts';

interface MemberListProps {
  readonly client: RoomClient;
  readonly room: Room;
  readonly onClose: () => void;
}

export function MemberList({ client, room, onClose }: MemberListProps) {
  const { words } = usePage();
  const order = ['join', 'invite', 'leave', 'ban'];
  const members = [...room.members.values()].filter(({ membership }) => membership !== 'ban').sort((a, b) => order.indexOf(a.membership) - order.indexOf(b.membership));
  return (
    <aside className="members" aria-label={words.membersTitle} data-testid="members">
      <header>
        <h3>{words.membersTitle}</h3>
        <button type="button" className="plain-button" aria-label={words.close} onClick={onClose}><Icon name="close" /></button>
      </header>
      <ul>{members.map((member) => <MemberRow key={member.userId} client={client} room={room} member={member} />)}</ul>
    </aside>
  );
}

function MemberRow({ client, room, member }: { readonly client: RoomClient; readonly room: Room; readonly member: Member }) {
  const page = usePage();
  const { words, info } = page;
  const { userId, membership, displayName } = member;
  const me = `@${client.column.localpart}:${client.column.serverName}`;
  const note = userId === me ? words.you : info.botUserIds.includes(userId) ? words.robot : membership === 'invite' ? words.invited : undefined;
  const mayKick = userId !== me && powerOf(room, me) >= room.powerLevels.kick && powerOf(room, me) > powerOf(room, userId);
  return (
    <li data-testid={`member-${localpartOf(userId)}`} data-membership={membership}>
      <Avatar userId={userId} name={displayName} />
      <div>
        <strong>{displayName}</strong>{note !== undefined && <em>{note}</em>}
        <span>{organisationName(page, serverOf(userId))} · {userId}</span>
      </div>
      {mayKick && membership === 'join' && <button type="button" className="small-button" data-testid="kick-button" onClick={() => void client.kick(userId)}>{words.remove}</button>}
      {mayKick && membership === 'leave' && <button type="button" className="small-button" data-testid="invite-button" onClick={() => void client.invite(userId)}>{words.inviteBack}</button>}
    </li>
  );
}
