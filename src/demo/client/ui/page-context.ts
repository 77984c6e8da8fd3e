// Owns what every part of the page may know: the demo, the language and its words.
import { createContext, useContext } from 'react';
import type { DemoInfo } from '../../demo-info.ts';
import type { Language, Words } from '../i18n/words.ts';
import { serverOf } from '../matrix/room.ts';

export interface Page {
  readonly info: DemoInfo;
  readonly language: Language;
  readonly words: Words;
}

export const PageContext = createContext<Page | undefined>(undefined);

export function usePage(): Page {
  const page = useContext(PageContext);
  if (page === undefined) throw new Error('outside PageContext');
  return page;
}

/** How an organisation is called on this page; unknown ones by the first label of their server name. */
export function organisationName({ info, language }: Page, serverName: string): string {
  return info.columns.find((column) => column.serverName === serverName)?.organisationName[language] ?? serverName.split(/[.:]/)[0] ?? serverName;
}

/** Its place among the organisations, for its colour. */
export function organisationIndex({ info }: Page, userId: string): number {
  return info.columns.findIndex((column) => column.serverName === serverOf(userId));
}
