import { randomUUID } from 'node:crypto';
import express, { type ErrorRequestHandler, type Express, type Response } from 'express';
import type { Logger } from 'pino';
import type { TokenValidator } from '../keystone/port';
import { requireToken } from '../keystone/requireToken';
import { BarbicanError } from './barbican/errors';
import type { EmbeddedBarbican } from './barbican/model';
import { serveContainers } from './face/containers';
import { serveSecrets } from './face/secrets';

export interface BarbicanFaceDeps {
  readonly barbican: EmbeddedBarbican;
  readonly validator: TokenValidator;
  /** Keystone's address for the 401; asked at each use, since addresses are known only once the services listen. */
  readonly authUri: () => string;
  readonly log: Logger;
}

/**
 * The Key Manager API v1 over HTTP: version discovery, secrets, containers, consumers and access lists, as the openstack
 * command and barbicanclient use them. Serves at the root of its own address or mounted below any path.
 */
export function createBarbicanFace({ barbican, validator, authUri, log }: BarbicanFaceDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use((req, res, next) => {
    res.locals['root'] = `${req.protocol}://${req.get('host')}${req.baseUrl}`;
    res.locals['base'] = `${res.locals['root']}/v1`;
    res.set('x-openstack-request-id', `req-${randomUUID()}`);
    next();
  });
  app.get('/', (_req, res) => void res.status(300).json({ versions: { values: [describeVersion(res)] } }));
  app.get('/v1', (_req, res) => void res.json({ version: describeVersion(res) }));
  app.use((req, res, next) => requireToken(validator, authUri())(req, res, next));
  app.use('/v1/secrets', serveSecrets(barbican));
  app.use('/v1/containers', serveContainers(barbican));
  app.use(() => {
    throw new BarbicanError(404, 'The resource could not be found.');
  });
  app.use(answerError(log));
  return app;
}

function describeVersion(res: Response) {
  return {
    id: 'v1',
    status: 'stable',
    updated: '2015-04-28T00:00:00Z',
    links: [{ rel: 'self', href: `${res.locals['base']}/` }],
    'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.key-manager-v1+json' }],
  };
}

function answerError(log: Logger): ErrorRequestHandler {
  return (err, _req, res, _next) => {
    const known = err instanceof BarbicanError ? err : toKnown(err);
    if (!known) log.error({ err }, 'the embedded key manager failed');
    const code = known?.status ?? 500;
    const title = known?.title ?? 'Internal Server Error';
    const description = known?.message ?? 'The request failed - please contact site administrator.';
    res.status(code).json({ code, title, description });
  };
}

/** What express refuses by itself: a body that is no JSON, or too large. */
function toKnown(err: { readonly status?: unknown }): BarbicanError | undefined {
  if (err.status === 413) return new BarbicanError(413, 'Provided information too large to process');
  const isClients = typeof err.status === 'number' && err.status >= 400 && err.status < 500;
  return isClients ? new BarbicanError(400, 'Malformed JSON') : undefined;
}
