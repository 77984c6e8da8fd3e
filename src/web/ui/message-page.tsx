// Owns the frame of every screen outside the call: the organisation above, one card, nothing else.
import type { ReactNode } from 'react';
import { useTranslate } from '../services.ts';

interface PaperProps {
  readonly organisation: string;
  readonly wide?: boolean;
  readonly testId?: string;
  readonly reason?: string;
  readonly children: ReactNode;
}

/** The white page with the organisation's name. */
export function Paper({ organisation, wide = false, testId, reason, children }: PaperProps): ReactNode {
  const t = useTranslate();
  return (
    <div className="paper">
      <header className="paper-head">
        <span className="paper-organisation">{organisation}</span>
        <span className="paper-service">{t('page.title')}</span>
      </header>
      <main className={wide ? 'card card-wide' : 'card'} data-testid={testId} data-reason={reason}>{children}</main>
    </div>
  );
}

interface MessagePageProps {
  readonly organisation?: string;
  readonly title: string;
  readonly text: string;
  readonly detail?: string | undefined;
  readonly testId?: string;
  readonly reason?: string;
  readonly children?: ReactNode;
}

/** A screen that says one thing, with what can be done about it. */
export function MessagePage({ organisation = '', title, text, detail, testId, reason, children }: MessagePageProps): ReactNode {
  return (
    <Paper organisation={organisation} {...(testId !== undefined && { testId })} {...(reason !== undefined && { reason })}>
      {title !== '' && <h1>{title}</h1>}
      <p className="lead" role="status">{text}</p>
      {detail !== undefined && <p className="mention">{detail}</p>}
      {children !== undefined && <div className="actions">{children}</div>}
    </Paper>
  );
}
