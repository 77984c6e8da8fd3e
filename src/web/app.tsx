// Owns which screen is shown.
import { type ReactNode, useEffect, useSyncExternalStore } from 'react';
import type { PageInfo } from './api/schemas.ts';
import { createTranslate, pickLanguage } from './i18n/language.ts';
import { EndingPage } from './ending.tsx';
import { PairingPage } from './pairing/pairing-page.tsx';
import { PrejoinPage } from './prejoin/prejoin-page.tsx';
import { RefusedPage } from './refused.tsx';
import { TranslateContext, useCallState, useServices } from './services.ts';
import { CallPage } from './stage/call-page.tsx';
import { MessagePage } from './ui/message-page.tsx';
import { NoticeList } from './ui/notice-list.tsx';
import { usePageInfo } from './use-page-info.ts';

function Screen({ info }: { readonly info: PageInfo }): ReactNode {
  const { signIn, widget } = useServices();
  const state = useCallState();
  const signedIn = useSyncExternalStore(signIn.subscribe, signIn.get);
  switch (state.kind) {
    case 'in-call':
    case 'rejoining':
      return <CallPage state={state} organisation={info.organisation} />;
    case 'over':
      return <EndingPage ending={state.ending} organisation={info.organisation} />;
    case 'refused':
      if (state.refusal.code !== 'signed-out') return <RefusedPage refusal={state.refusal} organisation={info.organisation} />;
      break;
    case 'idle':
    case 'joining':
      break;
  }
  if (widget === undefined && signedIn === undefined) return <PairingPage organisation={info.organisation} />;
  return <PrejoinPage organisation={info.organisation} joining={state.kind === 'joining'} />;
}

/** The page once its services exist. */
export function App(): ReactNode {
  const { address, speak, words } = useServices();
  const { info, refusal, retry } = usePageInfo();
  const language = pickLanguage([address.language, info?.defaultLanguage], words.current.language);
  const t = createTranslate(language);
  useEffect(() => {
    speak(language);
    document.documentElement.lang = language;
    document.title = t('page.title');
  }, [language]);
  return (
    <TranslateContext value={t}>
      {info !== undefined && <Screen info={info} />}
      {info === undefined && refusal !== undefined && <RefusedPage refusal={refusal} organisation="" onAgain={retry} />}
      {info === undefined && refusal === undefined && <MessagePage title="" text={t('page.loading')} />}
      <NoticeList />
    </TranslateContext>
  );
}
