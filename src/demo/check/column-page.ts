// Owns one column of the demo's page as the check sees and uses it.
import type { Frame, Locator, Page } from 'playwright-core';
import type { DemoInfo } from '../demo-info.ts';
import { type MediaStatistics, mediaStatistics } from './media-probe.ts';
import { waitFor } from './wait.ts';

export interface CardState {
  readonly call: string;
  readonly state: string;
  readonly people: number;
  /** As shown, one per organisation: "Intérieur 1". */
  readonly organisations: readonly string[];
  readonly text: string;
}

export class ColumnPage {
  readonly localpart: string;
  readonly userId: string;
  readonly #column: Locator;

  constructor(page: Page, { localpart, serverName }: Pick<DemoInfo['columns'][number], 'localpart' | 'serverName'>) {
    this.localpart = localpart;
    this.userId = `@${localpart}:${serverName}`;
    this.#column = page.getByTestId(`column-${localpart}`);
  }

  async waitUntilLive(timeoutMs: number): Promise<void> {
    await waitFor(`${this.localpart}'s client to be connected`, async () => {
      const status = (await this.#column.count()) === 0 ? 'no column' : await this.#column.getAttribute('data-status');
      return status === 'live' ? undefined : `its state is ${status ?? 'unknown'}`;
    }, timeoutMs);
  }

  async say(text: string): Promise<void> {
    await this.#column.getByTestId('composer').fill(text);
    await this.#column.getByTestId('composer').press('Enter');
  }

  /** How many cards there are of one call. */
  async cardsOf(call: string): Promise<number> {
    return this.#column.locator(`[data-testid="call-card"][data-call="${call}"]`).count();
  }

  async lastCard(): Promise<CardState | undefined> {
    const cards = this.#column.getByTestId('call-card');
    if ((await cards.count()) === 0) return undefined;
    const last = cards.last();
    return {
      call: (await last.getAttribute('data-call')) ?? '',
      state: (await last.getAttribute('data-state')) ?? '',
      people: Number(await last.getAttribute('data-people')),
      organisations: await last.locator('li').allInnerTexts(),
      text: (await last.innerText()).replaceAll(/\s*\n\s*/g, ' · '),
    };
  }

  /** Opens the widget by the notice's button. Post: the page in it offers to join. */
  async openCall(timeoutMs: number): Promise<void> {
    await this.#column.getByTestId('call-join').last().click({ timeout: timeoutMs });
    const frame = await this.callFrame(timeoutMs);
    await frame.getByTestId('join-button').waitFor({ timeout: timeoutMs });
  }

  /** Joins by the page's own button. Post: the page shows the call. */
  async enterCall(timeoutMs: number): Promise<void> {
    const frame = await this.callFrame(timeoutMs);
    await frame.getByTestId('join-button').click({ timeout: timeoutMs });
    await frame.getByTestId('call').waitFor({ timeout: timeoutMs });
  }

  /** Fills the column with the call, or gives the room its place back. */
  async resizeCall(): Promise<void> {
    await this.#column.getByTestId('call-panel-size').click();
  }

  async callFrame(timeoutMs = 5000): Promise<Frame> {
    const handle = await this.#column.getByTestId('call-frame').elementHandle({ timeout: timeoutMs });
    const frame = await handle.contentFrame();
    if (frame === null) throw new Error(`${this.localpart}'s column shows no call`);
    return frame;
  }

  async media(): Promise<MediaStatistics> {
    return mediaStatistics(await this.callFrame());
  }

  async showsCall(): Promise<boolean> {
    return (await this.#column.getByTestId('call-panel').count()) > 0;
  }

  async isOutside(): Promise<boolean> {
    return (await this.#column.getByTestId('gone').count()) > 0;
  }

  async screenshot(path: string): Promise<void> {
    await this.#column.screenshot({ path });
  }
}
