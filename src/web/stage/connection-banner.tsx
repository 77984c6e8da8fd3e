// Owns the banner shown while the connection is being mended.
import { type ReactNode, useEffect, useRef } from 'react';
import { useServices, useTranslate } from '../services.ts';

interface ConnectionBannerProps {
  readonly connected: boolean;
  /** How many times the page already tried with a new ticket. */
  readonly attempts: number;
}

const manyAttempts = 4;

export function ConnectionBanner({ connected, attempts }: ConnectionBannerProps): ReactNode {
  const t = useTranslate();
  const { notices, session } = useServices();
  const wasLost = useRef(false);
  useEffect(() => {
    if (connected && wasLost.current) notices.say(t('call.reconnected'));
    wasLost.current = !connected;
  }, [connected]);
  if (connected) return null;
  const long = attempts >= manyAttempts;
  return (
    <div className="banner" role="alert" data-testid="reconnecting">
      <span className="spinner" aria-hidden="true" />
      <span>{t(long ? 'call.still-reconnecting' : 'call.reconnecting')}</span>
      {long && <button type="button" onClick={session.retryNow}>{t('call.retry-now')}</button>}
    </div>
  );
}
