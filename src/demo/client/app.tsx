// Owns the page: a bar, and one column per person.
import type { DemoInfo } from '../demo-info.ts';
import { type Language, wordsOf } from './i18n/words.ts';
import type { RoomClient } from './matrix/room-client.ts';
import { Column } from './ui/column.tsx';
import { Logo } from './ui/icon.tsx';
import { PageContext } from './ui/page-context.ts';

interface AppProps {
  readonly info: DemoInfo;
  readonly clients: readonly RoomClient[];
  readonly language: Language;
}

function addressIn(language: Language): string {
  const query = new URLSearchParams(location.search);
  query.set('lang', language);
  return `?${query.toString()}`;
}

export function App({ info, clients, language }: AppProps) {
  const words = wordsOf(language);
  const other: Language = language === 'fr' ? 'en' : 'fr';
  return (
    <PageContext value={{ info, language, words }}>
      <header className="bar">
        <Logo />
        <h1>{words.title}</h1>
        <p>{words.subtitle(info.columns.length)}</p>
        <a href={addressIn(other)} lang={other} hrefLang={other}>{words.otherLanguage}</a>
      </header>
      <main className="columns" data-count={clients.length}>
        {clients.map((client) => <Column key={client.column.serverName} client={client} />)}
      </main>
    </PageContext>
  );
}
