// Owns what every browser of a drill needs: headless Chromium, and a server on this machine for the pages that it opens.
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { Browser } from 'playwright-core';
import { launchChromium } from '../demo/chromium.ts';

export interface BrowserHost extends AsyncDisposable {
  readonly browser: Browser;
  /** Where `handle` answers, without a path. */
  readonly url: string;
}

export async function openBrowserHost(handle: RequestListener): Promise<BrowserHost> {
  await using starting = new AsyncDisposableStack();
  const server = createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  starting.defer(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the page server does not listen');
  const browser = await launchChromium();
  starting.defer(() => browser.close());
  const kept = starting.move();
  return { browser, url: `http://localhost:${address.port}`, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
