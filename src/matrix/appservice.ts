// Owns the appservice listener: what the homeserver pushes is checked, handed to `accept`, and answered. No work is done here.
import { createHash, timingSafeEqual } from 'node:crypto';
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler, type Response } from 'express';
import { z } from 'zod';
import type { UserId } from '../call/ids.ts';
import type { Logger, Secret } from '../log/logger.ts';
import { asError } from '../util/background.ts';
import { proxiedPath } from './proxied-routes.ts';
import { refuse } from './refusal.ts';
import { newRef } from './text.ts';

export interface AppserviceOptions {
  readonly hsToken: Secret<string>;
  readonly bot: UserId;
  /** Takes over a transaction's events: durable when it returns. A throw makes the homeserver send them again. */
  readonly accept: (events: readonly unknown[]) => void;
  /** Answers below /proxied what the homeserver hands on of other servers' requests. */
  readonly proxied: RequestHandler;
  readonly log: Logger;
}

const maxTransactionBytes = '32mb';
const transaction = z.object({ events: z.array(z.unknown()) });

/** The application service API (https://spec.matrix.org/v1.16/application-service-api/), legacy paths included. */
export function createAppservice({ hsToken, bot, accept, proxied, log }: AppserviceOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(requireToken(hsToken, log));

  const receive: RequestHandler = (request, response) => {
    const body = transaction.safeParse(request.body);
    if (!body.success) {
      log.warn('transaction refused', { txn: request.params['txnId'], detail: body.error.message });
      refuse(response, 400, 'M_BAD_JSON', 'a transaction holds a list of events');
      return;
    }
    accept(body.data.events);
    response.json({});
  };
  const json = express.json({ limit: maxTransactionBytes, type: () => true, strict: true });
  const user: RequestHandler = (request, response) => {
    if (request.params['userId'] === bot) response.json({});
    else refuse(response, 404, 'M_NOT_FOUND', 'no such user here');
  };
  const room: RequestHandler = (_request, response) => refuse(response, 404, 'M_NOT_FOUND', 'no such room here');

  for (const prefix of ['/_matrix/app/v1', '']) {
    app.route(`${prefix}/transactions/:txnId`).put(json, receive).all(wrongMethod);
    app.route(`${prefix}/users/:userId`).get(user).all(wrongMethod);
    app.route(`${prefix}/rooms/:alias`).get(room).all(wrongMethod);
  }
  app.route('/_matrix/app/v1/ping').post((_request, response) => {
    response.json({});
  }).all(wrongMethod);
  app.use('/_matrix/app/v1/thirdparty', (_request, response) => refuse(response, 404, 'M_NOT_FOUND', 'no third party networks here'));
  app.use(proxiedPath, proxied);
  app.use((_request, response) => refuse(response, 404, 'M_UNRECOGNIZED', 'no such address'));
  app.use(failure(log));
  return app;
}

/** Before anything of the body is read. Digests have one length, whatever was sent. */
function requireToken(hsToken: Secret<string>, log: Logger): RequestHandler {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = digest(hsToken.reveal());
  return (request, response, next) => {
    const sent = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (sent === undefined) {
      refuse(response, 401, 'M_UNAUTHORIZED', 'the homeserver token is missing');
    } else if (!timingSafeEqual(digest(sent), expected)) {
      log.warn('wrong homeserver token', { path: request.path.slice(0, 80), hint: 'the homeserver must load the registration file that the bridge uses' });
      refuse(response, 403, 'M_FORBIDDEN', 'the homeserver token is wrong');
    } else {
      next();
    }
  };
}

function wrongMethod(_request: Request, response: Response): void {
  refuse(response, 405, 'M_UNRECOGNIZED', 'not with this method');
}

function failure(log: Logger): ErrorRequestHandler {
  return (thrown: unknown, _request, response, next) => {
    if (response.headersSent) {
      next(thrown);
      return;
    }
    const status = z.object({ status: z.number().min(400).max(499) }).safeParse(thrown);
    if (status.success) {
      const [errcode, error] = clientFault(status.data.status);
      log.warn('request refused', { status: status.data.status, error: asError(thrown).message });
      refuse(response, status.data.status, errcode, error);
      return;
    }
    const ref = newRef();
    log.error('transaction could not be saved: the homeserver will send it again', { ref, error: asError(thrown) });
    refuse(response, 500, 'M_UNKNOWN', `not saved, send it again (${ref})`);
  };
}

function clientFault(status: number): readonly [errcode: string, error: string] {
  if (status === 413) return ['M_TOO_LARGE', `a transaction is at most ${maxTransactionBytes}`];
  return ['M_NOT_JSON', 'the request could not be read'];
}
