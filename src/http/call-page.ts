// Owns how the built call page is served: one document for every call, its assets, what a browser may do in it, and who gets another bridge's instead.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import express, { type Request, type Router } from 'express';
import { isSlug, type Slug } from '../call/ids.ts';
import type { HomePages } from '../control/peers/home-pages.ts';

export interface CallPageOptions {
  /** Where the built call page is. */
  readonly pageFolder: string;
  readonly frameAncestors: readonly string[];
  /** Where the page may open signalling: addresses, or a scheme such as `wss:` when neighbours' addresses are not known beforehand. */
  readonly liveKitUrls: readonly string[];
  readonly homes: HomePages;
  /** The address of a call's page here. */
  readonly pageOf: (slug: Slug) => string;
}

/** @throws if the page was not built */
export function callPage({ pageFolder, frameAncestors, liveKitUrls, homes, pageOf }: CallPageOptions): Router {
  const document = built(pageFolder, 'index.html');
  const frame = readFileSync(built(pageFolder, 'home-frame.html'), 'utf8');
  const connect = `connect-src ${["'self'", ...liveKitUrls, ...liveKitUrls.map((url) => url.replace(/^ws/, 'http'))].join(' ')}`;
  const ours = ["img-src 'self' data:", "media-src 'self' blob: mediastream:", connect];
  const router = express.Router();
  router.use('/assets', express.static(join(pageFolder, 'assets'), { immutable: true, maxAge: '1y', index: false }));
  router.get('/:slug', (request, response) => {
    const { slug } = request.params;
    const home = isSlug(slug) ? homes.homeOf(slug, textOf(request, 'userId')) : undefined;
    const allow = (more: readonly string[], framers: readonly string[]): void => {
      response.set({ 'Content-Security-Policy': policyOf(more, [...frameAncestors, ...framers]), 'Cache-Control': 'no-cache', 'Permissions-Policy': 'camera=*, microphone=*, display-capture=*' });
    };
    if (home === undefined || !isSlug(slug)) {
      allow(ours, homes.framedBy(slug));
      response.sendFile(document);
    } else if (isWidget(request)) {
      allow([`frame-src ${new URL(home).origin}`], []);
      response.type('html').send(frameOf(frame, `${home}?${queryOf(request, { parentUrl: pageOf(slug) })}`));
    } else {
      response.set('Cache-Control', 'no-store').redirect(`${home}?${queryOf(request, {})}`);
    }
  });
  return router;
}

function built(pageFolder: string, name: string): string {
  const path = join(pageFolder, name);
  if (!existsSync(path)) throw new Error(`the call page is not built (${path} is missing): start Viaduc with ./viaduc, which builds it`);
  return path;
}

function policyOf(more: readonly string[], framers: readonly string[]): string {
  return ["default-src 'none'", "script-src 'self'", "style-src 'self'", ...more, "base-uri 'none'", "form-action 'none'", `frame-ancestors ${["'self'", ...framers].join(' ')}`].join('; ');
}

/**
 * A Matrix client talks to its widget at the address that it knows, and gives camera and microphone to that origin only:
 * a widget cannot be sent elsewhere, so the page of another bridge is shown in a frame of this one.
 */
function isWidget(request: Request): boolean {
  return textOf(request, 'widgetId') !== '' && textOf(request, 'parentUrl') !== '' && request.get('sec-fetch-dest') !== 'document';
}

const framePlace = 'data-src=""';

function frameOf(document: string, address: string): string {
  return document.replace(framePlace, () => `data-src="${address.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}"`);
}

function queryOf(request: Request, changed: Readonly<Record<string, string>>): string {
  const names = Object.keys(request.query).filter((name) => !(name in changed));
  return new URLSearchParams([...names.map((name): [string, string] => [name, textOf(request, name)]), ...Object.entries(changed)]).toString();
}

/** The first value of a name that is given more than once. */
function textOf({ query }: Request, name: string): string {
  const value = query[name];
  const [first] = Array.isArray(value) ? value : [value];
  return typeof first === 'string' ? first : '';
}
