// Owns the start of the call page.
import { createRoot } from 'react-dom/client';
import { setLogLevel } from 'livekit-client';
import { parsePageAddress } from './address.ts';
import { App } from './app.tsx';
import { createTranslate, pickLanguage } from './i18n/language.ts';
import { createServices, ServicesContext } from './services.ts';
import { MessagePage } from './ui/message-page.tsx';
import './styles/base.css';
import './styles/paper.css';
import './styles/stage.css';
import './styles/controls.css';

const place = document.getElementById('page');
if (place === null) throw new Error('index.html has no #page');

setLogLevel('warn');
const address = parsePageAddress(location.href, window.parent !== window);
const root = createRoot(place);
if (address === undefined) {
  const t = createTranslate(pickLanguage(navigator.languages, 'en'));
  root.render(<MessagePage title={t('page.title')} text={t('page.no-call')} />);
} else {
  if (address.theme !== undefined) document.documentElement.dataset['theme'] = address.theme;
  root.render(
    <ServicesContext value={createServices(address)}>
      <App />
    </ServicesContext>,
  );
}
