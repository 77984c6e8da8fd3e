// Owns the listener of the demo's page: the built files of dist/demo, and demo.json.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { DemoInfo } from './demo-info.ts';
import { isPageBuilt, pageFile } from './static-files.ts';

/** @throws when the page has not been built. */
export function requireBuiltPage(): void {
  if (!isPageBuilt()) throw new Error('The demo\'s page is not built (dist/demo). Run ./viaduc demo, which builds it, or npm run web.');
}

/** Serves on loopback only, under http://localhost:port. */
export async function startPageServer(port: number, info: DemoInfo): Promise<AsyncDisposable> {
  const headers = {
    'content-security-policy': policy(info),
    'permissions-policy': `camera=(self ${info.callOrigins.map((origin) => `"${origin}"`).join(' ')}), microphone=(self ${info.callOrigins.map((origin) => `"${origin}"`).join(' ')})`,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  };
  const server = createServer((request, response) => answer(request, response, headers, info)).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function policy({ columns, callOrigins }: DemoInfo): string {
  return [
    "default-src 'self'",
    `connect-src 'self' ${columns.map(({ homeserverUrl }) => homeserverUrl).join(' ')}`,
    `frame-src ${callOrigins.join(' ')}`,
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function answer(request: IncomingMessage, response: ServerResponse, headers: Readonly<Record<string, string>>, info: DemoInfo): void {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  if (pathname === '/demo.json') {
    response.writeHead(200, { ...headers, 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(info));
    return;
  }
  const file = request.method === 'GET' ? pageFile(pathname) : undefined;
  if (file === undefined) {
    response.writeHead(404, headers).end();
    return;
  }
  response.writeHead(200, { ...headers, 'content-type': file.contentType, 'cache-control': 'no-cache' }).end(file.content);
}
