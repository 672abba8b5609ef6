import type { RequestHandler } from 'express';
import { RouterFaultError } from '../faults';

/** 406 unless the client takes JSON. No Accept, an empty one (openstacksdk's DELETE) and any wildcard are fine. */
export const negotiate: RequestHandler = (req, _res, next) => {
  if (acceptsJson(req.headers.accept)) return next();
  next(new RouterFaultError(406, 'Not Acceptable', 'Only content type application/json is accepted.'));
};

function acceptsJson(accept: string | undefined): boolean {
  if (!accept || accept === '*/*' || accept === 'application/json') return true;
  const types = accept.split(',').map((range) => range.split(';')[0]?.trim().toLowerCase());
  return types.some((type) => type === '*/*' || type === 'application/*' || type === 'application/json');
}
