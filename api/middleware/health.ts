import type { Request, RequestHandler, Response } from 'express';
import type { Registry } from 'prom-client';
import type { Bus } from '../../driver/bus/port';
import type { Db } from '../../driver/db/connect';
import { pingDatabase } from '../../driver/db/ping';
import { exchangeOf } from '../exchange';
import { noSuchRoute } from '../faults';
import type { EdgeSettings } from '../settings';

type HealthSettings = Pick<EdgeSettings, 'healthcheckEnabled' | 'healthcheckInterval'>;

interface Health {
  readonly healthy: boolean;
  readonly reason: string;
}

const WELL: Health = { healthy: true, reason: 'OK' };
const DATABASE_DOWN: Health = { healthy: false, reason: 'The Octavia database is unavailable.' };
/** Changes are taken all the same: the outbox and the sweep have them carried out. */
const BUS_DOWN: Health = { healthy: true, reason: 'OK, but the message bus is unavailable.' };

/** What the API cannot do without, and what it would miss. */
export interface HealthDeps {
  readonly db: Db;
  readonly bus: Bus;
}

/** `/healthcheck` as oslo's: text, JSON or HTML by Accept; the answer is remembered for a while. */
export function healthcheck(
  { db, bus }: HealthDeps,
  { healthcheckEnabled, healthcheckInterval }: HealthSettings,
): RequestHandler {
  let result: Promise<Health> = Promise.resolve(WELL);
  let askedAt = Number.NEGATIVE_INFINITY;
  const judge = async (): Promise<Health> => {
    if ((await pingDatabase(db)) !== undefined) return DATABASE_DOWN;
    return bus.trouble() === undefined ? WELL : BUS_DOWN;
  };
  const check = (): Promise<Health> => {
    if (performance.now() - askedAt < healthcheckInterval * 1000) return result;
    askedAt = performance.now();
    result = judge();
    return result;
  };
  return async (req, res, next) => {
    if (exchangeOf(res).path !== '/healthcheck') return next();
    if (!healthcheckEnabled) throw noSuchRoute();
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      res.status(405).set('Allow', 'GET, HEAD').type('text/plain').end('Method Not Allowed');
      return;
    }
    answerHealth(req, res, await check());
  };
}

function answerHealth(req: Request, res: Response, { healthy, reason }: Health): void {
  if (req.method === 'HEAD') {
    res.status(healthy ? 204 : 503).end();
    return;
  }
  res.status(healthy ? 200 : 503);
  const type = req.accepts(['text/plain', 'application/json', 'text/html']);
  if (type === 'application/json') res.json({ detailed: false, reasons: [reason] });
  else if (type === 'text/html') res.type('html').end(`<HTML><BODY><p>${reason}</p></BODY></HTML>`);
  else res.type('text/plain').end(reason);
}

/** `/metrics` for Prometheus. */
export function metrics(registry: Registry): RequestHandler {
  return async (req, res, next) => {
    if (exchangeOf(res).path !== '/metrics' || req.method !== 'GET') return next();
    res.set('Content-Type', registry.contentType).end(await registry.metrics());
  };
}
