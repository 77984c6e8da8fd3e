// Owns how passing messages look and are read out.
import { type ReactNode, useSyncExternalStore } from 'react';
import { useServices, useTranslate } from '../services.ts';
import { Icon } from './icon.tsx';

export function NoticeList(): ReactNode {
  const t = useTranslate();
  const { notices } = useServices();
  const list = useSyncExternalStore(notices.subscribe, notices.list);
  return (
    <div className="notices" role="status" aria-live="polite">
      {list.map(({ id, text, tone }) => (
        <div key={id} className={`notice notice-${tone}`}>
          <span>{text}</span>
          {tone === 'alert' && (
            <button type="button" className="notice-close" aria-label={t('control.close')} onClick={() => notices.dismiss(id)}>
              <Icon name="close" />
            </button>
          )}
        </div>
      ))}
    </div>
  );
}
