import type { RequestHandler, Response } from 'express';
import type { Identity } from '../../domain/identity';
import { UNAUTHENTICATED } from './errors';
import type { TokenValidator } from './port';

/**
 * The token check in front of a service, answering as keystonemiddleware does: 401 with `WWW-Authenticate` that names
 * `authUri`. What comes through finds the caller by `identityOf`.
 */
export function requireToken(validator: TokenValidator, authUri: string): RequestHandler {
  return async (req, res, next) => {
    const valid = await validator.validate(req.get('X-Auth-Token') ?? '');
    if (valid) {
      res.locals['identity'] = valid.identity;
      next();
      return;
    }
    res
      .status(401)
      .set('WWW-Authenticate', `Keystone uri="${authUri}"`)
      .json({ error: { code: 401, title: 'Unauthorized', message: UNAUTHENTICATED } });
  };
}

/** Who the request comes from; only behind `requireToken`. */
export function identityOf(res: Response): Identity {
  return res.locals['identity'] as Identity;
}
