// Owns what the demo's server tells its page (demo.json) and what the page's own address adds.
import { z } from 'zod';
import { demoInfoSchema, type DemoInfo } from '../demo-info.ts';

export type Column = DemoInfo['columns'][number];

/** @throws when the page is not served by the demo. */
export async function loadDemoInfo(): Promise<DemoInfo> {
  const response = await fetch('demo.json', { cache: 'no-store' });
  if (!response.ok) throw new Error(`demo.json: ${String(response.status)}`);
  return demoInfoSchema.parse(await response.json());
}

const languageSchema = z.enum(['fr', 'en']);

/** `?solo=alice` shows one column, `?lang=en` another language. */
export function chosenByAddress(info: DemoInfo, query: URLSearchParams): { readonly columns: readonly Column[]; readonly language: DemoInfo['language'] } {
  const solo = info.columns.filter(({ localpart }) => localpart === query.get('solo'));
  return { columns: solo.length > 0 ? solo : info.columns, language: languageSchema.safeParse(query.get('lang')).data ?? info.language };
}
