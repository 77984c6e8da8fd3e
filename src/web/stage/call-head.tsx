// Owns the line above the stage: which room, how many people, for how long.
import type { ReactNode } from 'react';
import { useParticipants } from '@livekit/components-react';
import type { Ticket } from '../api/schemas.ts';
import { plural } from '../i18n/language.ts';
import { useTranslate } from '../services.ts';
import { useNow } from '../ui/use-now.ts';
import { elapsedText } from './elapsed.ts';

function Elapsed({ sinceMs }: { readonly sinceMs: number }): ReactNode {
  const t = useTranslate();
  return <span className="head-time" role="timer" title={t('call.elapsed')}>{elapsedText(useNow(1000) - sinceMs)}</span>;
}

export function CallHead({ ticket, organisation }: { readonly ticket: Ticket; readonly organisation: string }): ReactNode {
  const t = useTranslate();
  const count = useParticipants().length;
  return (
    <header className="head">
      <h1>{ticket.room_name ?? t('call.room')}</h1>
      <span className="head-organisation">{organisation}</span>
      <span className="head-people" data-testid="people-count">{plural(t, 'call.people', count, { count })}</span>
      <Elapsed sinceMs={ticket.call.started_at} />
    </header>
  );
}
