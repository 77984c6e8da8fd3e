// Owns which files the demo's pages are made of: what was built into dist/demo, and Element Call as its makers publish it.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const built = fileURLToPath(new URL('../../dist/demo/', import.meta.url));
const elementCall = join(dirname(fileURLToPath(import.meta.resolve('@element-hq/element-call-embedded/package.json'))), 'dist/');
const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.json': 'application/json', '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm', '.woff': 'font/woff', '.woff2': 'font/woff2', '.ogg': 'audio/ogg', '.mp3': 'audio/mpeg', '.tflite': 'application/octet-stream',
};
/** How clients find each other's media; a deployment of Element Call names one in its config.json. */
const modes = new Set(['compatibility', 'matrix_2_0']);

export interface StaticFile {
  readonly contentType: string;
  readonly content: Buffer | string;
}

/** Whether the pages have been built. */
export function isPageBuilt(): boolean {
  return existsSync(join(built, 'index.html'));
}

/** Below dist/demo. undefined: there is no such file. */
export function pageFile(pathname: string): StaticFile | undefined {
  return fileIn(built, pathname === '/' ? 'index.html' : pathname);
}

/** `/element-call/<mode>/…`: the files as they are published, but for config.json, which is the deployment's. */
export function elementCallFile(pathname: string): StaticFile | undefined {
  const [, mode = '', path = ''] = /^\/element-call\/([a-z0-9_]+)\/(.+)$/.exec(pathname) ?? [];
  if (!modes.has(mode)) return undefined;
  const file = fileIn(elementCall, path);
  if (file === undefined || path !== 'config.json') return file;
  return { ...file, content: String(file.content).replace(/^\{/, `{"matrix_rtc_mode":${JSON.stringify(mode)},`) };
}

function fileIn(folder: string, path: string): StaticFile | undefined {
  const file = join(folder, normalize(`/${path}`));
  const contentType = contentTypes[extname(file)];
  return contentType === undefined || !file.startsWith(folder) || !existsSync(file) ? undefined : { contentType, content: readFileSync(file) };
}
