import type { RequestHandler } from 'express';
import { exchangeOf } from '../exchange';
import { RouterFaultError } from '../faults';
import type { RouteTable } from '../openapi/routeTable';

/**
 * 406 unless the client takes JSON, or another type that the operation answers with. No Accept, an empty one
 * (openstacksdk's DELETE) and any wildcard are fine.
 */
export function negotiate(table?: RouteTable): RequestHandler {
  return (req, res, next) => {
    if (acceptsJson(req.headers.accept)) return next();
    const others = table?.(exchangeOf(res).path)?.operations[req.method]?.otherTypes ?? [];
    if (others.length > 0 && req.accepts([...others]) !== false) return next();
    next(new RouterFaultError(406, 'Not Acceptable', 'Only content type application/json is accepted.'));
  };
}

function acceptsJson(accept: string | undefined): boolean {
  if (!accept || accept === '*/*' || accept === 'application/json') return true;
  const types = accept.split(',').map((range) => range.split(';')[0]?.trim().toLowerCase());
  return types.some((type) => type === '*/*' || type === 'application/*' || type === 'application/json');
}
