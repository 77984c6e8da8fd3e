// Owns the screen after a call: why it ended for this person, and the way back.
import type { ReactNode } from 'react';
import type { Ending } from './call/disconnect.ts';
import { background } from './background.ts';
import { useServices, useTranslate } from './services.ts';
import { MessagePage } from './ui/message-page.tsx';

export function EndingPage({ ending, organisation }: { readonly ending: Ending; readonly organisation: string }): ReactNode {
  const t = useTranslate();
  const { session } = useServices();
  return (
    <MessagePage
      organisation={organisation}
      title={t(`ending.${ending}.title`)}
      text={t(`ending.${ending}.text`)}
      testId="call-ended"
      reason={ending}
    >
      <button type="button" className="button" data-testid="rejoin-button" onClick={() => background(session.join(), 'joining again')}>
        {t(`ending.${ending}.action`)}
      </button>
    </MessagePage>
  );
}
