// Owns the start of the demo's page: what the demo says, one client per column, and the frame around them.
import './no-eval.ts';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { chosenByAddress, loadDemoInfo } from './demo-info.ts';
import { wordsOf } from './i18n/words.ts';
import { RoomClient } from './matrix/room-client.ts';
import './styles/page.css';
import './styles/column.css';
import './styles/timeline.css';

const place = document.getElementById('page');
if (place === null) throw new Error('index.html has no #page');
const root = createRoot(place);

try {
  const info = await loadDemoInfo();
  const { columns, language } = chosenByAddress(info, new URLSearchParams(location.search));
  document.documentElement.lang = language;
  document.title = wordsOf(language).title;
  const clients = columns.map((column) => new RoomClient(column, info.roomId));
  root.render(<App info={info} clients={clients} language={language} />);
  await Promise.all(clients.map((client) => client.run()));
} catch (error) {
  root.render(<p className="page-fault" role="alert">{wordsOf('fr').failed}<br /><small>{String(error)}</small></p>);
}
