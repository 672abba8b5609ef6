import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import express, { type RequestHandler } from 'express';
import { BadRequestError } from '../../driver/domain/errors';
import { exchangeOf } from '../exchange';
import { TooLargeError, UnknownMimeTypeError } from '../faults';
import { holdsBrokenText, mayHoldBrokenText } from './brokenText';

const NOT_JSON = 'Request is not in valid JSON format';

/** Refuses a body that says it is too large, before anything else is done about the request. */
export function sizeLimit(maxBytes: number): RequestHandler {
  return (req, _res, next) => {
    const length = Number(req.headers['content-length'] ?? 0);
    next(length > maxBytes ? new TooLargeError() : undefined);
  };
}

/** Reads the JSON body of operations that have one. */
export function readBody(maxBytes: number): RequestHandler {
  // The parser takes no bytes at all for an empty object.
  const empty = new WeakSet<IncomingMessage>();
  const suspicious = new WeakSet<IncomingMessage>();
  const parse = express.json({
    limit: maxBytes,
    strict: false,
    type: () => true,
    inflate: false,
    verify: (req, _res, bytes) => {
      if (bytes.length === 0) empty.add(req);
      if (mayHoldBrokenText(bytes)) suspicious.add(req);
    },
  });
  return (req, res, next) => {
    const { route } = exchangeOf(res);
    const schema = route?.operations[req.method]?.bodySchema;
    if (!schema) return next();
    const type = (req.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
    if (type !== 'application/json' && hasBody(req.headers)) return next(new UnknownMimeTypeError(type));
    // The validator keeps one compiled check a content type: the client must not decide how many.
    req.headers['content-type'] = 'application/json';
    parse(req, res, (error?: unknown) => {
      if (error) return next(translate(error));
      if (req.body === undefined || empty.has(req)) {
        return next(new BadRequestError(`Missing argument: "${schema['x-argument'] ?? 'body'}"`));
      }
      if (suspicious.has(req) && holdsBrokenText(req.body)) return next(new BadRequestError(NOT_JSON));
      exchangeOf(res).body = req.body;
      next();
    });
  };
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function translate(error: unknown): unknown {
  const { type } = error as { type?: string };
  if (type === 'entity.too.large') return new TooLargeError();
  const unreadable = ['entity.parse.failed', 'charset.unsupported', 'encoding.unsupported', 'request.size.invalid'];
  return type && unreadable.includes(type) ? new BadRequestError(NOT_JSON) : error;
}
