// Owns the list of participants, by organisation.
import type { ReactNode } from 'react';
import { useIsSpeaking, useParticipants } from '@livekit/components-react';
import type { Participant } from 'livekit-client';
import { useTranslate } from '../services.ts';
import { Icon } from '../ui/icon.tsx';
import { byOrganisation, colourOf, initialsOf, type Person, personOf } from './people.ts';
import { Quality } from './quality.tsx';

function PersonRow({ participant, person }: { readonly participant: Participant; readonly person: Person }): ReactNode {
  const t = useTranslate();
  const speaking = useIsSpeaking(participant);
  return (
    <li className="person" data-testid="person" data-identity={participant.identity} data-speaking={speaking}>
      <span className="avatar avatar-small" data-colour={colourOf(person.userId)} aria-hidden="true">{initialsOf(person.name)}</span>
      <span className="person-names">
        <span className="person-name">{person.name}{participant.isLocal && ` (${t('call.you')})`}</span>
        <span className="person-id" title={person.userId}>{person.userId}</span>
      </span>
      <Quality participant={participant} />
      {participant.isMicrophoneEnabled
        ? <Icon name="microphone" />
        : <span role="img" aria-label={t('tile.muted')} title={t('tile.muted')}><Icon name="microphone-off" /></span>}
      <Icon name={participant.isCameraEnabled ? 'camera' : 'camera-off'} />
    </li>
  );
}

export function PeoplePanel({ onClose }: { readonly onClose: () => void }): ReactNode {
  const t = useTranslate();
  const participants = useParticipants();
  const groups = byOrganisation(participants.map((participant) => ({ participant, person: personOf(participant) })));
  return (
    <aside className="panel" aria-label={t('control.people')} data-testid="people-panel">
      <header>
        <h2>{t('control.people')}</h2>
        <button type="button" className="panel-close" aria-label={t('control.close')} onClick={onClose}><Icon name="close" /></button>
      </header>
      {groups.map(({ organisation, people }) => (
        <section key={organisation}>
          <h3>{organisation} <span>{people.length}</span></h3>
          <ul>{people.map(({ participant, person }) => <PersonRow key={participant.identity} participant={participant} person={person} />)}</ul>
        </section>
      ))}
    </aside>
  );
}
