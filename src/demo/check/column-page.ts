// Owns one column of the demo's page as the check sees and uses it.
import type { Frame, Locator, Page } from 'playwright-core';
import type { DemoInfo } from '../demo-info.ts';
import { type MediaStatistics, mediaStatistics } from './media-probe.ts';
import { waitFor } from './wait.ts';

/** Addresses that the widget has asked for over http. */
export interface WidgetRequests {
  /** Its outer frame, where it shows the page of another bridge in one. */
  readonly frame: readonly string[];
  readonly page: readonly string[];
}

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
  readonly #requests: { readonly frame: Frame; readonly url: string }[] = [];

  constructor(page: Page, { localpart, serverName }: Pick<DemoInfo['columns'][number], 'localpart' | 'serverName'>) {
    this.localpart = localpart;
    this.userId = `@${localpart}:${serverName}`;
    this.#column = page.getByTestId(`column-${localpart}`);
    page.on('request', (request) => this.#requests.push({ frame: request.frame(), url: request.url() }));
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
    await waitFor(`the call page of ${this.localpart}`, async () => {
      const frame = await this.callFrame(timeoutMs);
      return (await frame.getByTestId('join-button').isVisible()) ? undefined : `${frame.url()} does not offer to join`;
    }, timeoutMs);
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

  /** The page's own frame: in a widget of another organisation's bridge it is inside of that. */
  async callFrame(timeoutMs = 5000): Promise<Frame> {
    const widget = await this.#inside(this.#column.getByTestId('call-frame'), timeoutMs);
    const home = widget.getByTestId('home-frame');
    return (await home.count()) === 0 ? widget : this.#inside(home, timeoutMs);
  }

  async requests(): Promise<WidgetRequests> {
    const [widget, page] = [await this.#inside(this.#column.getByTestId('call-frame'), 5000), await this.callFrame()];
    const of = (asking: Frame): readonly string[] => this.#requests.flatMap(({ frame, url }) => (frame === asking && url.startsWith('http') ? [url] : []));
    return { frame: widget === page ? [] : of(widget), page: of(page) };
  }

  async #inside(place: Locator, timeoutMs: number): Promise<Frame> {
    const handle = await place.elementHandle({ timeout: timeoutMs });
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
