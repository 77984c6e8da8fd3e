// Owns the screen that shows the code to say in the room.
import { type ReactNode, useState } from 'react';
import { background } from '../background.ts';
import { plural } from '../i18n/language.ts';
import { RefusedPage } from '../refused.tsx';
import { useTranslate } from '../services.ts';
import { Icon } from '../ui/icon.tsx';
import { Paper } from '../ui/message-page.tsx';
import { useNow } from '../ui/use-now.ts';
import { usePairing } from './use-pairing.ts';

function Sentence({ say }: { readonly say: string }): ReactNode {
  const t = useTranslate();
  const [copied, setCopied] = useState(false);
  const copy = (): void => background(navigator.clipboard.writeText(say).then(() => setCopied(true)), 'copying the message');
  return (
    <div className="sentence">
      <code data-testid="pairing-sentence">{say}</code>
      <button type="button" className="button button-secondary button-small" onClick={copy} aria-live="polite">
        <Icon name={copied ? 'check' : 'copy'} />
        {copied ? t('pairing.copied') : t('pairing.copy')}
      </button>
    </div>
  );
}

function Validity({ expiresAtMs }: { readonly expiresAtMs: number }): ReactNode {
  const t = useTranslate();
  const minutes = Math.max(1, Math.ceil((expiresAtMs - useNow(10_000)) / 60_000));
  return <>{plural(t, 'pairing.valid', minutes, { minutes })}</>;
}

export function PairingPage({ organisation }: { readonly organisation: string }): ReactNode {
  const t = useTranslate();
  const { state, again } = usePairing();
  if (state.kind === 'refused') return <RefusedPage refusal={state.refusal} organisation={organisation} onAgain={again} />;
  return (
    <Paper organisation={organisation} testId="pairing">
      <h1>{t('pairing.title')}</h1>
      {state.kind === 'asking' && <p className="lead" role="status">{t('page.loading')}</p>}
      {state.kind === 'expired' && (
        <>
          <p className="lead" role="alert">{t('pairing.expired')}</p>
          <div className="actions">
            <button type="button" className="button" data-testid="new-code" onClick={again}>{t('pairing.new-code')}</button>
          </div>
        </>
      )}
      {state.kind === 'waiting' && (
        <>
          <p className="lead">{t('pairing.intro')}</p>
          <p className="code" data-testid="pairing-code" aria-label={`${t('pairing.code')} ${state.pairing.code}`}>{state.pairing.code}</p>
          <ol className="steps">
            <li>{t('pairing.step-open')}</li>
            <li>
              {t('pairing.step-say')}
              <Sentence say={state.pairing.say} />
            </li>
            <li>{t('pairing.step-wait')}</li>
          </ol>
          <p className="waiting" role="status">
            <span className="spinner" aria-hidden="true" />
            {t('pairing.waiting')}
          </p>
          <p className="mention"><Validity expiresAtMs={state.expiresAtMs} /> {t('pairing.why')}</p>
        </>
      )}
    </Paper>
  );
}
