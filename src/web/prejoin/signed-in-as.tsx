// Owns saying as whom one joins, and forgetting this device.
import { type ReactNode, useSyncExternalStore } from 'react';
import { background } from '../background.ts';
import { useServices, useTranslate } from '../services.ts';

export function SignedInAs(): ReactNode {
  const t = useTranslate();
  const { address, api, notices, signIn } = useServices();
  const kept = useSyncExternalStore(signIn.subscribe, signIn.get);
  if (address.widget !== undefined) {
    return address.userId === undefined ? null : <p className="mention">{t('prejoin.as', { user: address.userId })}</p>;
  }
  if (kept === undefined) return null;
  const forget = async (): Promise<void> => {
    const result = await api.forget(kept.token);
    // An unknown sign-in is forgotten already; anything else must not look as if it had worked.
    if (result.ok || result.refusal.code === 'unauthorized') signIn.drop();
    else notices.say(t('refusal.network'), 'alert');
  };
  return (
    <p className="mention">
      {t('prejoin.as', { user: kept.userId })}{' '}
      <button type="button" className="link" data-testid="forget" onClick={() => background(forget(), 'forgetting this device')}>{t('prejoin.forget')}</button>
    </p>
  );
}
