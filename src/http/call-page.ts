// Owns how the built call page is served: one document for every call, its assets, and what a browser may do in it.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import express, { type Router } from 'express';

export interface CallPageOptions {
  readonly pageFolder: string;
  readonly frameAncestors: readonly string[];
  readonly liveKitUrls: readonly string[];
}

/** @throws if the page was not built */
export function callPage({ pageFolder, frameAncestors, liveKitUrls }: CallPageOptions): Router {
  const document = join(pageFolder, 'index.html');
  if (!existsSync(document)) throw new Error(`the call page is not built (${document} is missing): start Viaduc with ./viaduc, which builds it`);
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "media-src 'self' blob: mediastream:",
    `connect-src ${["'self'", ...liveKitUrls, ...liveKitUrls.map((url) => url.replace(/^ws/, 'http'))].join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${["'self'", ...frameAncestors].join(' ')}`,
  ].join('; ');
  const router = express.Router();
  router.use('/assets', express.static(join(pageFolder, 'assets'), { immutable: true, maxAge: '1y', index: false }));
  router.get('/:slug', (_request, response) => {
    response.set({ 'Content-Security-Policy': policy, 'Cache-Control': 'no-cache', 'Permissions-Policy': 'camera=*, microphone=*, display-capture=*' });
    response.sendFile(document);
  });
  return router;
}
