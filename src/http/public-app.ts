// Owns the public listener's express app: the doors, the call page, security headers, limits.
import express, { type NextFunction, type Request, type Response } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import type { Route } from '../control/ports/route.ts';
import type { Logger } from '../log/logger.ts';
import { asError } from '../util/background.ts';
import { callPage, type CallPageOptions } from './call-page.ts';
import { newRef, refusalOf } from './http-error.ts';

export interface PublicAppOptions extends CallPageOptions {
  readonly routes: readonly Route[];
  readonly trustedProxies: readonly string[];
  readonly log: Logger;
}

const bodyLimitBytes = 16 * 1024;

export function createPublicApp({ routes, trustedProxies, log, ...page }: PublicAppOptions): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', [...trustedProxies]);
  app.set('query parser', 'simple');
  app.use((_request, response, next) => {
    response.set({ 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer' });
    next();
  });
  app.use('/c', callPage(page));
  app.get('/healthz', anyOrigin, (_request, response) => {
    response.json({});
  });
  for (const route of routes) bind(app, route, log);
  // Clients of other origins ask here what there is, and take an answer that they may not read for a fault.
  app.use(anyOrigin, (_request, response) => {
    response.status(404).json({ errcode: 'M_UNRECOGNIZED', error: 'There is nothing at this address.', ref: newRef() });
  });
  app.use((error: unknown, request: Request, response: Response, next: NextFunction) => {
    failed(error, request, response, next, log);
  });
  return app;
}

function bind(app: express.Express, route: Route, log: Logger): void {
  const limit = rateLimit({
    windowMs: 60_000,
    limit: route.perMinute,
    standardHeaders: false,
    legacyHeaders: false,
    handler: (_request, response, _next, { windowMs }) => {
      answer(response, refusalOf({ code: 'tooManyRequests', detail: `more than ${route.perMinute} a minute at ${route.path}`, retryAfterMs: windowMs / 6 }, log));
    },
  });
  const origin = route.anyOrigin ? [anyOrigin] : [];
  if (route.anyOrigin) {
    app.options(route.path, anyOrigin, (_request, response) => {
      response.status(204).end();
    });
  }
  const verb = route.method === 'GET' ? ('get' as const) : route.method === 'POST' ? ('post' as const) : ('delete' as const);
  // Some clients send JSON without saying so: whatever comes is read as JSON.
  app[verb](route.path, ...origin, limit, express.json({ limit: bodyLimitBytes, type: () => true }), async (request: Request, response: Response) => {
    const gone = new AbortController();
    response.on('close', () => {
      gone.abort();
    });
    const result = await route.run({ params: paramsOf(request), body: request.body as unknown, bearer: bearerOf(request), source: ipKeyGenerator(request.ip ?? ''), signal: gone.signal });
    if (gone.signal.aborted) return;
    response.set('Cache-Control', 'no-store');
    if (!result.ok) answer(response, refusalOf(result.error, log));
    else if (result.value === undefined) response.status(204).end();
    else response.json(result.value);
  });
}

function answer(response: Response, { status, body }: ReturnType<typeof refusalOf>): void {
  if (body.retry_after_ms !== undefined) response.set('Retry-After', String(Math.ceil(body.retry_after_ms / 1000)));
  response.status(status).json(body);
}

/** The header set of the MatrixRTC authorisation service. */
function anyOrigin(_request: Request, response: Response, next: NextFunction): void {
  response.set({
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Allow-Methods': 'GET, HEAD, POST, OPTIONS',
    'Access-Control-Allow-Headers': 'Accept, Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization',
  });
  next();
}

function paramsOf(request: Request): Record<string, string> {
  return Object.fromEntries(Object.entries(request.params).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value] as const] : [])));
}

function bearerOf(request: Request): string | undefined {
  return /^Bearer (\S+)$/.exec(request.get('authorization') ?? '')?.[1];
}

function failed(error: unknown, request: Request, response: Response, next: NextFunction, log: Logger): void {
  if (response.headersSent) {
    next(error);
    return;
  }
  const ref = newRef();
  const status = statusOf(error);
  if (status === 413) response.status(413).json({ errcode: 'M_TOO_LARGE', error: `The body is larger than ${bodyLimitBytes} bytes.`, ref });
  else if (status !== undefined && status < 500) response.status(status).json({ errcode: 'M_NOT_JSON', error: 'The body is not JSON.', ref });
  else {
    // What follows in a path may be a secret: that of a pairing.
    log.error('request failed', { ref, path: request.path.split('/', 3).join('/'), error: asError(error) });
    response.status(500).json({ errcode: 'M_UNKNOWN', error: `Something went wrong on our side. Tell your administrator this reference: ${ref}`, ref });
  }
}

function statusOf(error: unknown): number | undefined {
  const status: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'status') : undefined;
  return typeof status === 'number' ? status : undefined;
}
