import type { ErrorRequestHandler, Response } from 'express';
import { ServiceError } from '../../driver/domain/errors';
import { exchangeOf } from '../exchange';
import { fault, RouterFaultError, TooLargeError, UnauthorizedError } from '../faults';

const UNKNOWN = 'An unknown exception occurred.';

/**
 * The last middleware: every error becomes one of Octavia's answers. What is no ServiceError is a bug or a broken
 * machine: logged in full, told in one sentence.
 * @param authUri goes into the 401's header
 */
export function faults(authUri: string): ErrorRequestHandler {
  return (error: unknown, _req, res, next) => {
    if (res.headersSent) return next(error);
    if (!(error instanceof ServiceError)) {
      exchangeOf(res).log.error({ err: error }, 'unexpected error while answering a request');
      res.status(500).json(fault(500, UNKNOWN));
      return;
    }
    if (error.status >= 500) exchangeOf(res).log.warn({ err: error }, 'request failed');
    answer(res, error, authUri);
  };
}

function answer(res: Response, error: ServiceError, authUri: string): void {
  res.status(error.status);
  if (error instanceof TooLargeError) {
    // The rest of the body is not read: the connection cannot be used again.
    res.set('Connection', 'close').type('text/plain').removeHeader('x-openstack-request-id');
    res.end(error.message);
  } else if (error instanceof UnauthorizedError) {
    res.set('WWW-Authenticate', `Keystone uri="${authUri}"`);
    res.json({ error: { code: 401, title: 'Unauthorized', message: error.message } });
  } else if (error instanceof RouterFaultError) {
    if (error.allow) res.set('Allow', error.allow.join(', '));
    res.json({ code: error.status, title: error.title, description: error.description });
  } else {
    res.json(fault(error.status, error.message));
  }
}
