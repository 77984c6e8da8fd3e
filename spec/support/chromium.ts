// Owns a headless Chromium for specs, with a generated camera and microphone and a screen that shares itself.
import { chromium, type Browser, type Page } from 'playwright-core';
import { toolPath } from '../../src/demo/tools.ts';

const flags = [
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--auto-accept-this-tab-capture',
  '--autoplay-policy=no-user-gesture-required',
  // Background pages of a spec must work at full speed.
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
];

/** Ordinary users' browsers keep their sandbox; root's cannot. */
export async function launchChromium(): Promise<Browser> {
  const args = process.getuid?.() === 0 ? [...flags, '--no-sandbox'] : flags;
  return await chromium.launch({ executablePath: toolPath('VIADUC_CHROMIUM'), headless: true, args });
}

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
