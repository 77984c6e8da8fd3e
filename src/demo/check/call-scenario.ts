// Owns the story that the check plays: a command, everybody in a call, its end; what must hold at each point.
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { Demo } from '../demo.ts';
import type { Checklist } from './checklist.ts';
import { ColumnPage } from './column-page.ts';
import { checkConnections } from './own-bridge.ts';
import { checkReceived, waitForMedia, widest } from './received-media.ts';
import { waitFor } from './wait.ts';

export interface ScenarioOptions {
  readonly page: Page;
  readonly demo: Demo;
  /** Folder for screenshots. */
  readonly out: string;
  readonly list: Checklist;
}

const pageMs = 30_000;
const answerMs = 15_000;
const joinMs = 40_000;

/** @throws StepFailed at the first thing that does not hold; the list says it already */
export async function playCall({ page, demo: { url, info, homes }, out, list }: ScenarioOptions): Promise<void> {
  const columns = info.columns.map((column) => new ColumnPage(page, column));
  const [caller] = columns;
  if (caller === undefined) throw new Error('The demo has no columns.');
  const everywhere = async (what: string, missing: (column: ColumnPage) => Promise<string | undefined>, timeoutMs: number): Promise<void> => {
    await Promise.all(columns.map(async (column) => waitFor(`${what} in ${column.localpart}'s column`, () => missing(column), timeoutMs)));
  };
  const screenshots: string[] = [];
  const shoot = async (name: string): Promise<void> => {
    screenshots.push(`${name}.png`, ...columns.map(({ localpart }) => `${name}-${localpart}.png`));
    await page.screenshot({ path: join(out, `${name}.png`) });
    for (const column of columns) await column.screenshot(join(out, `${name}-${column.localpart}.png`));
  };
  list.figures['screenshots'] = screenshots;
  const measured = async (figure: string, work: () => Promise<void>): Promise<void> => {
    const start = performance.now();
    await work();
    list.figures[figure] = Math.round(performance.now() - start);
  };

  await list.step('The page opens, all clients are connected', async () => {
    await measured('pageMs', async () => {
      await page.goto(url, { timeout: pageMs });
      await Promise.all(columns.map((column) => column.waitUntilLive(pageMs)));
    });
    return columns.map(({ localpart }) => localpart).join(', ');
  });
  if ((await caller.lastCard())?.state === 'open') {
    await list.step('The call that an earlier check left is ended', async () => {
      await caller.say(`${info.command} end`);
      await everywhere('the end of the earlier call', async (column) => {
        const last = await column.lastCard();
        return last?.state === 'ended' ? undefined : `it is ${last?.state ?? 'missing'}`;
      }, answerMs);
      return '';
    });
  }
  const earlier = (await caller.lastCard())?.call;
  let call = '';
  await list.step(`${info.command} is answered by a notice in every column`, async () => {
    await measured('noticeMs', async () => {
      await caller.say(info.command);
      await everywhere('the notice of the call', async (column) => {
        const last = await column.lastCard();
        return last?.state === 'open' && last.call !== earlier ? undefined : `the last notice is ${last?.state ?? 'missing'}`;
      }, answerMs);
    });
    call = (await caller.lastCard())?.call ?? '';
    return '';
  });
  await shoot('1-notice');

  await list.step('Join opens the widget in every column', async () => {
    await measured('widgetMs', async () => {
      // One after the other: the page has one mouse.
      for (const column of columns) await column.openCall(joinMs);
    });
    return '';
  });
  await shoot('2-before');

  for (const column of columns) {
    await list.step(`${column.localpart} joins from the widget`, async () => {
      await measured(`joinMs.${column.localpart}`, () => column.enterCall(joinMs));
      return '';
    });
  }
  for (const column of columns) await checkReceived(column, columns.filter((other) => other !== column), list);
  await list.step('The notice counts everybody, by organisation', async () => {
    await measured('countedMs', () => everywhere(`a notice of ${String(columns.length)} people`, async (column) => {
      const last = await column.lastCard();
      return last?.state === 'open' && last.people === columns.length && last.organisations.length === columns.length ? undefined : `it says ${last?.text ?? 'nothing'}`;
    }, answerMs));
    return (await caller.lastCard())?.organisations.join(', ') ?? '';
  });
  await shoot('3-call');

  // With more people no tile in a column is large enough for it.
  if (columns.length === 2) {
    await list.step(`A larger picture is sent as ${caller.localpart} makes room for it`, async () => {
      const before = widest(await caller.media());
      await caller.resizeCall();
      // How much larger depends on what the machine can encode: 1280 where it is not overloaded.
      const media = await waitForMedia(caller, `pictures more than ${String(before.width)} wide`, (now) => widest(now).width > before.width);
      const { width, height } = widest(media);
      list.figures[`largeVideo.${caller.localpart}`] = { width, height };
      return `${String(width)}×${String(height)}`;
    });
    await shoot('4-large');
    await caller.resizeCall();
  }
  for (const [index, column] of columns.entries()) {
    const home = homes[index];
    if (home !== undefined) await checkConnections(column, home, list);
  }
  await list.step('Nobody was put out of the room', async () => {
    const outside = await Promise.all(columns.map(async (column) => ((await column.isOutside()) ? [column.localpart] : [])));
    if (outside.flat().length > 0) throw new Error(`no longer in the room: ${outside.flat().join(', ')}`);
    return '';
  });
  await list.step(`${info.command} end closes the call, the summary stays`, async () => {
    await measured('endMs', async () => {
      await caller.say(`${info.command} end`);
      await everywhere('the summary of the call', async (column) => {
        const last = await column.lastCard();
        if (last?.state !== 'ended' || last.people !== columns.length || last.organisations.length !== columns.length) return `it says ${last?.text ?? 'nothing'}`;
        if (last.call !== call) return 'it is that of another call';
        const count = await column.cardsOf(call);
        if (count !== 1) return `there are ${String(count)} notices of the call`;
        return (await column.showsCall()) ? 'the widget is still shown' : undefined;
      }, answerMs);
    });
    return (await caller.lastCard())?.text ?? '';
  });
  await shoot('5-summary');
}
