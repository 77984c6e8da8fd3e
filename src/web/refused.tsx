// Owns the screen of a refusal: why, what to do, and the reference for the operator.
import type { ReactNode } from 'react';
import { type Refusal, refusalMessage } from './api/refusal.ts';
import { background } from './background.ts';
import { useServices, useTranslate } from './services.ts';
import { MessagePage } from './ui/message-page.tsx';

interface RefusedPageProps {
  readonly refusal: Refusal;
  readonly organisation: string;
  readonly onAgain?: () => void;
}

export function RefusedPage({ refusal, organisation, onAgain }: RefusedPageProps): ReactNode {
  const t = useTranslate();
  const { session, signIn, widget } = useServices();
  const again = onAgain ?? (() => background(session.join(), 'joining'));
  const otherAccount = (): void => {
    signIn.drop();
    session.reset();
  };
  return (
    <MessagePage
      organisation={organisation}
      title={t('refusal.title')}
      text={t(refusalMessage(refusal), { detail: refusal.detail ?? refusal.code })}
      detail={refusal.reference === undefined ? undefined : t('refusal.reference', { reference: refusal.reference })}
      testId="refused"
      reason={refusal.code}
    >
      <button type="button" className="button" onClick={again}>{t('refusal.again')}</button>
      {widget === undefined && refusal.code === 'forbidden' && (
        <button type="button" className="button button-secondary" onClick={otherAccount}>{t('refusal.other-account')}</button>
      )}
    </MessagePage>
  );
}
