// Owns the head of a column: whose organisation this is, who is signed in, whether the homeserver answers.
import type { ClientState, RoomClient } from '../matrix/room-client.ts';
import { Avatar } from './avatar.tsx';
import { usePage } from './page-context.ts';

interface OrganisationHeaderProps {
  readonly client: RoomClient;
  readonly status: ClientState['status'];
}

export function OrganisationHeader({ client: { column }, status }: OrganisationHeaderProps) {
  const { info, language, words } = usePage();
  const userId = `@${column.localpart}:${column.serverName}`;
  const statusText = { connecting: words.connecting, live: words.live, offline: words.offline }[status];
  return (
    <header className="organisation" data-organisation={info.columns.indexOf(column)}>
      <div className="organisation-name">
        <strong>{column.organisationName[language]}</strong>
        <span>{column.serverName}</span>
      </div>
      <div className="organisation-person">
        <span>
          <strong>{column.displayName}</strong>
          <span className="status" data-status={status} role="status">{statusText}</span>
        </span>
        <Avatar userId={userId} name={column.displayName} />
      </div>
    </header>
  );
}
