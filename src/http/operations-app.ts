// Owns the operator's listener: Prometheus metrics, liveness, readiness.
import express from 'express';
import type { Metrics } from './metrics.ts';

export interface OperationsAppOptions {
  readonly metrics: Metrics;
  /** Why the bridge is not ready; empty: it is. */
  readonly unready: () => readonly string[];
  /** What `viaduc neighbours` prints. */
  readonly neighbours: () => Promise<readonly object[]>;
  /** Introductions refused that count for no neighbour, by code. */
  readonly strangers: () => Readonly<Record<string, number>>;
}

export function createOperationsApp({ metrics, unready, neighbours, strangers }: OperationsAppOptions): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.get('/healthz', (_request, response) => {
    response.json({ alive: true });
  });
  app.get('/readyz', (_request, response) => {
    const reasons = unready();
    response.status(reasons.length === 0 ? 200 : 503).json({ ready: reasons.length === 0, reasons });
  });
  app.get('/neighbours', async (_request, response) => {
    response.json(await neighbours());
  });
  app.get('/strangers', (_request, response) => {
    response.json(strangers());
  });
  app.get('/metrics', async (_request, response) => {
    response.type(metrics.contentType).send(await metrics.text());
  });
  return app;
}
