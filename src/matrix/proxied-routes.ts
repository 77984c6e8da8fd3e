// Owns what other servers ask of this bridge through our homeserver (MSC4512): who asks was verified there, what is asked is checked here.
import express, { type ErrorRequestHandler, type Request, type RequestHandler, type Response } from 'express';
import { isServerName } from '../call/ids.ts';
import type { Introducer } from '../control/ports/introducer.ts';
import type { Logger } from '../log/logger.ts';
import { asError } from '../util/background.ts';
import { refuse } from './refusal.ts';
import { newRef } from './text.ts';

/** Below the appservice listener's address: io.element.msc4512.proxy_url. */
export const proxiedPath = '/proxied';
/** Of requests between bridges. `rtc/livekit` is the only prefix that homeservers carry. */
export const federationPath = '/_matrix/federation/unstable/fr.viaduc/rtc/livekit/';

const maxBodyBytes = 64 * 1024;

type Handler = Parameters<Introducer['answer']>[1];

export interface ProxiedRoutes {
  /** `path` is relative to `federationPath`. @throws when the path has a handler */
  answer(path: string, handler: Handler): void;
  /** Of requests whose homeserver token was checked. */
  readonly handle: RequestHandler;
}

export function createProxiedRoutes({ log }: { readonly log: Logger }): ProxiedRoutes {
  const handlers = new Map<string, Handler>();
  const routes = express.Router({ caseSensitive: true, strict: true });
  const json = express.json({ limit: maxBodyBytes, type: () => true, strict: true });

  routes.use((request, response, next) => {
    const known = handlers.has(pathOf(request));
    if (!known) refuse(response, 404, 'M_UNRECOGNIZED', 'the bridge answers nothing at this address');
    else if (request.method !== 'POST') refuse(response, 405, 'M_UNRECOGNIZED', 'not with this method');
    else if (originOf(request) === undefined) refuse(response, 400, 'M_INVALID_PARAM', 'X-Matrix-Origin is no server name');
    else next();
  });
  routes.use(json, async (request: Request, response: Response) => {
    const handler = handlers.get(pathOf(request));
    const origin = originOf(request);
    if (handler === undefined || origin === undefined) throw new Error(`no handler of ${pathOf(request)}`);
    const { status, content } = await handler(origin, request.body);
    response.status(status).json(content);
  });
  routes.use(failure(log));

  return {
    answer: (path, handler) => {
      const full = federationPath + path;
      if (handlers.has(full)) throw new Error(`${full} is answered already`);
      handlers.set(full, handler);
    },
    handle: routes,
  };
}

function pathOf(request: Request): string {
  return request.path;
}

function originOf(request: Request) {
  const origin = request.header('x-matrix-origin');
  return origin !== undefined && isServerName(origin) ? origin : undefined;
}

function failure(log: Logger): ErrorRequestHandler {
  return (thrown: unknown, request, response, next) => {
    if (response.headersSent) {
      next(thrown);
      return;
    }
    const error = asError(thrown);
    const status = 'status' in error ? error.status : undefined;
    if (status === 413) {
      refuse(response, 413, 'M_TOO_LARGE', `a request is at most ${maxBodyBytes} bytes`);
    } else if (typeof status === 'number' && status >= 400 && status < 500) {
      refuse(response, 400, 'M_NOT_JSON', 'the request could not be read');
    } else {
      const ref = newRef();
      log.error('request of another server failed', { ref, path: pathOf(request), origin: originOf(request), error });
      refuse(response, 500, 'M_UNKNOWN', `the bridge could not answer (${ref})`);
    }
  };
}
