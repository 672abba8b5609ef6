import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { Exchange } from '../exchange';

const MOUNT = '/load-balancer';

/**
 * One spelling for every path: `/v2.0`, a missing `/lbaas`, a trailing slash, a `.json` suffix and the mount point
 * `/load-balancer` all name the same tree. Files of the documentation keep their suffix, and its slash, which tells a
 * browser what relative addresses mean.
 */
export function canonicalPath(path: string): string {
  const unmounted = path === MOUNT || path.startsWith(`${MOUNT}/`) ? path.slice(MOUNT.length) : path;
  const verbatim = /^\/v2(?:\.0)?(\/openapi\.json|\/docs(?:\/.*)?)$/.exec(unmounted);
  if (verbatim) return `/v2${verbatim[1]}`;
  const trimmed = unmounted.replace(/\/+$/, '').replace(/\.json$/, '');
  if (trimmed === '') return '/';
  const [, version, next, ...rest] = trimmed.split('/');
  if (version !== 'v2' && version !== 'v2.0') return trimmed;
  const named = next === 'lbaas' || next === 'octavia' || next === 'slipstream';
  if (next === undefined || (rest.length === 0 && (next === 'lbaas' || next === 'octavia'))) return '/v2';
  return named ? `/v2/${[next, ...rest].join('/')}` : `/v2/lbaas/${[next, ...rest].join('/')}`;
}

export interface ContextSettings {
  /** `api_base_uri`: what links start with, instead of what the request says. */
  readonly baseUri: string | null;
  /** Whether `X-Forwarded-Proto`, `-Host` and `-Prefix` of a proxy count. */
  readonly proxyHeaders: boolean;
}

/** Gives each request its id, its canonical path and a logger. Goes first. */
export function requestContext(log: Logger, settings: ContextSettings): RequestHandler {
  return (req, res, next) => {
    const mark = req.url.indexOf('?');
    const path = mark < 0 ? req.url : req.url.slice(0, mark);
    const requestId = `req-${randomUUID()}`;
    const exchange: Exchange = {
      requestId,
      path: canonicalPath(path),
      url: `${baseOf(req, settings)}${path}`,
      query: new URLSearchParams(mark < 0 ? '' : req.url.slice(mark + 1)),
      log: log.child({ request_id: requestId, ...globalRequestId(req) }),
    };
    res.locals['exchange'] = exchange;
    // What the validator matches paths with.
    req.url = req.originalUrl = mark < 0 ? exchange.path : `${exchange.path}${req.url.slice(mark)}`;
    next();
  };
}

function globalRequestId(req: IncomingMessage): { global_request_id?: string } {
  const inbound = req.headers['x-openstack-request-id'];
  return typeof inbound === 'string' && /^req-[0-9a-f-]{36}$/i.test(inbound) ? { global_request_id: inbound } : {};
}

function baseOf(req: IncomingMessage, { baseUri, proxyHeaders }: ContextSettings): string {
  if (baseUri) return baseUri.replace(/\/+$/, '');
  const forwarded = (name: string): string | undefined => {
    const value = proxyHeaders ? req.headers[`x-forwarded-${name}`] : undefined;
    return typeof value === 'string' ? value.split(',')[0]?.trim() : undefined;
  };
  const host = forwarded('host') ?? req.headers.host ?? 'localhost';
  return `${forwarded('proto') ?? 'http'}://${host}${forwarded('prefix') ?? ''}`;
}
