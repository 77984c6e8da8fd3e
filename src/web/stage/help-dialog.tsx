// Owns the dialog that lists the keyboard shortcuts.
import { type ReactNode, useEffect, useRef } from 'react';
import { useTranslate } from '../services.ts';
import { Icon } from '../ui/icon.tsx';
import { shortcuts } from './shortcuts.ts';

export function HelpDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const t = useTranslate();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} className="help" aria-labelledby="help-title" data-testid="help-dialog" onClose={onClose}>
      <header>
        <h2 id="help-title">{t('help.title')}</h2>
        <button type="button" className="panel-close" aria-label={t('control.close')} onClick={() => dialog.current?.close()}><Icon name="close" /></button>
      </header>
      <dl>
        {Object.entries(shortcuts).map(([key, action]) => (
          <div key={key}>
            <dt><kbd>{key.toUpperCase()}</kbd></dt>
            <dd>{t(`help.${action}`)}</dd>
          </div>
        ))}
      </dl>
    </dialog>
  );
}
