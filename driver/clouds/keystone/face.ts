import { randomUUID } from 'node:crypto';
import express, { type ErrorRequestHandler, type Express, type Request, type Response, Router } from 'express';
import type { Logger } from 'pino';
import { parseAuthRequest } from './authRequest';
import { buildCatalog, type CatalogService } from './catalog';
import { type Collection, describeCollections, filterRows } from './collections';
import { forbidden, KeystoneError, notFound, UNAUTHENTICATED, unauthorized } from './errors';
import type { EmbeddedKeystone, Token } from './memory';
import { viewDomain, viewProject, viewToken } from './views';

export interface KeystoneFaceDeps {
  readonly keystone: EmbeddedKeystone;
  /** The catalogue; asked at each use, since addresses are known only once the services listen. */
  readonly services: () => readonly CatalogService[];
  readonly log: Logger;
}

/**
 * Identity v3 over HTTP: version discovery, tokens, catalogue and the look-ups of unmodified clients. Serves at the root
 * of its own address or mounted below any path.
 */
export function createKeystoneFace(deps: KeystoneFaceDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use((req, res, next) => {
    res.locals['base'] = `${req.protocol}://${req.get('host')}${req.baseUrl}`;
    res.set('x-openstack-request-id', `req-${randomUUID()}`).vary('X-Auth-Token');
    next();
  });
  app.get('/', (_req, res) => void res.status(300).json({ versions: { values: [describeVersion(res)] } }));
  app.get('/v3', (_req, res) => void res.json({ version: describeVersion(res) }));
  app.use(express.json({ limit: '112kb', type: () => true }));
  app.use('/v3/auth', serveTokens(deps));
  app.use('/v3', serveDirectory(deps));
  app.use((req: Request) => {
    throw new KeystoneError(404, `The resource could not be found: ${req.path}`);
  });
  app.use(answerError(deps.log));
  return app;
}

function serveTokens({ keystone, services }: KeystoneFaceDeps): Router {
  const router = Router();
  const answer = (req: Request, token: Token) => ({
    token: viewToken(token, keystone.directory, 'nocatalog' in req.query ? [] : buildCatalog(services())),
  });

  router.post('/tokens', (req, res) => {
    const token = keystone.authenticate(parseAuthRequest(req.body));
    res.status(201).set('X-Subject-Token', token.id).json(answer(req, token));
  });
  router.get('/tokens', (req, res) => {
    const token = findSubject(keystone, req, ['admin', 'service']);
    res.set('X-Subject-Token', token.id).json(answer(req, token));
  });
  router.delete('/tokens', (req, res) => {
    keystone.revokeToken(findSubject(keystone, req, ['admin']).id);
    res.status(204).end();
  });
  router.get('/catalog', (req, res) => {
    requireCaller(keystone, req);
    res.json({ catalog: buildCatalog(services()), links: links(req) });
  });
  router.get('/projects', (req, res) => {
    const { user } = requireCaller(keystone, req);
    res.json({ projects: keystone.listProjectsOf(user.id).map(viewProject), links: links(req) });
  });
  router.get('/domains', (req, res) => {
    const { user } = requireCaller(keystone, req);
    const own = keystone.directory.domains.filter(({ id }) => id === user.domainId);
    res.json({ domains: own.map(viewDomain), links: links(req) });
  });
  return router;
}

function serveDirectory({ keystone, services }: KeystoneFaceDeps): Router {
  const router = Router();
  router.get('/users/:id/projects', (req, res) => {
    const { id } = req.params;
    const caller = requireCaller(keystone, req);
    if (caller.user.id !== id && !isAdmin(caller)) throw forbidden('identity:list_user_projects');
    res.json({ projects: keystone.listProjectsOf(id).map(viewProject), links: links(req) });
  });
  const findCollection = (req: Request): Collection => {
    const found = describeCollections(keystone, services()).find(({ plural }) => plural === req.params['plural']);
    if (!found) throw new KeystoneError(404, `The resource could not be found: ${req.originalUrl}`);
    return found;
  };
  router.get('/:plural', (req, res) => listRows(keystone, findCollection(req), { req, res }));
  router.get('/:plural/:id', (req, res) => showRow(keystone, findCollection(req), { req, res }));
  return router;
}

function listRows(keystone: EmbeddedKeystone, { plural, rows }: Collection, { req, res }: Exchange): void {
  if (!isAdmin(requireCaller(keystone, req))) throw forbidden(`identity:list_${plural}`);
  res.json({ [plural]: filterRows(rows, req.query), links: links(req) });
}

function showRow(keystone: EmbeddedKeystone, { singular, rows, isOwn }: Collection, { req, res }: Exchange): void {
  const caller = requireCaller(keystone, req);
  const id = String(req.params['id']);
  const row = rows.find((candidate) => candidate.id === id);
  if (!isAdmin(caller) && !(row && isOwn?.(row, caller))) throw forbidden(`identity:get_${singular}`);
  if (!row) throw notFound(singular, id);
  res.json({ [singular]: { ...row, links: links(req) } });
}

/** What Python's oslo.utils takes for true. */
const TRUE: ReadonlySet<string> = new Set(['1', 't', 'true', 'on', 'y', 'yes']);

interface Exchange {
  readonly req: Request;
  readonly res: Response;
}

function requireCaller(keystone: EmbeddedKeystone, req: Request): Token {
  const token = keystone.findToken(req.get('X-Auth-Token') ?? '');
  if (!token) throw unauthorized();
  return token;
}

/** The token a request is about; one's own, or anybody's for a caller with one of the roles. */
function findSubject(keystone: EmbeddedKeystone, req: Request, rolesForOthers: readonly string[]): Token {
  const caller = requireCaller(keystone, req);
  const id = req.get('X-Subject-Token') ?? '';
  const subject = keystone.findToken(id, { allowExpired: TRUE.has(String(req.query['allow_expired']).toLowerCase()) });
  const own = subject?.user.id === caller.user.id;
  if (!own && !caller.roles.some(({ name }) => rolesForOthers.includes(name))) {
    throw forbidden('identity:validate_token');
  }
  if (!subject) throw notFound('token', id);
  return subject;
}

function isAdmin({ roles }: Token): boolean {
  return roles.some(({ name }) => name === 'admin');
}

function links(req: Request) {
  return { self: `${req.protocol}://${req.get('host')}${req.originalUrl}`, previous: null, next: null };
}

function describeVersion(res: Response) {
  return {
    id: 'v3.14',
    status: 'stable',
    updated: '2020-04-07T00:00:00Z',
    links: [{ rel: 'self', href: `${res.locals['base']}/v3/` }],
    'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
  };
}

function answerError(log: Logger): ErrorRequestHandler {
  return (err, _req, res, _next) => {
    const status = err instanceof KeystoneError || (err?.status >= 400 && err?.status < 500) ? Number(err.status) : 500;
    const title = err instanceof KeystoneError ? err.title : status === 500 ? 'Internal Server Error' : 'Bad Request';
    const message =
      status === 500 ? 'An unexpected error prevented the server from fulfilling your request.' : err.message;
    if (status === 500) log.error({ err }, 'the embedded Keystone failed');
    if (status === 401) res.set('WWW-Authenticate', `Keystone uri="${res.locals['base']}/v3"`);
    res.status(status).json({ error: { code: status, title, message: status === 401 ? UNAUTHENTICATED : message } });
  };
}
