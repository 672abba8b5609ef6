import type { RequestHandler } from 'express';

const HEADERS = 'X-Auth-Token, X-Openstack-Request-Id';
const METHODS = 'GET, PUT, POST, DELETE';

/**
 * Answers OPTIONS for everybody, and tells browsers of the allowed origins that they may read.
 * @param origins `allowed_origin`; `*` for any, empty for none
 */
export function cors(origins: readonly string[]): RequestHandler {
  return (req, res, next) => {
    const { origin } = req.headers;
    if (origin && (origins.includes(origin) || origins.includes('*'))) {
      res.set({
        'Access-Control-Allow-Origin': origin,
        'Access-Control-Expose-Headers': HEADERS,
        'Access-Control-Allow-Headers': HEADERS,
        'Access-Control-Allow-Methods': METHODS,
        Vary: 'Origin',
      });
    }
    if (req.method !== 'OPTIONS') return next();
    res.status(200).end();
  };
}
