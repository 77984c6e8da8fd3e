// Owns the browser of specs: a headless Chromium with a generated camera and microphone, and pages that report what they complain of.
import type { Browser, Page } from 'playwright-core';

export { launchChromium } from '../../src/demo/chromium.ts';

/** Opens the address; what the page throws goes to `complain`. */
export async function openPage(browser: Browser, url: string, complain: (text: string) => void): Promise<Page> {
  const page = await browser.newPage();
  page.on('pageerror', (error) => complain(`page error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') complain(`page console: ${message.text()}`);
  });
  await page.goto(url);
  return page;
}
