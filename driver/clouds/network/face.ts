import { randomUUID } from 'node:crypto';
import express, { type ErrorRequestHandler, type Express, type Request, type Response, Router } from 'express';
import type { Logger } from 'pino';
import { z } from 'zod';
import { UnavailableError } from '../../domain/errors';
import type { TokenValidator } from '../keystone/port';
import { identityOf, requireToken } from '../keystone/requireToken';
import { serveExtras } from './face/extras';
import { listItems, selectFields } from './face/listing';
import { chooseProject, requireAllowedAttributes, requireOwned, requireWriter, sees } from './face/policy';
import { badRequest, type Context, parseBody, type Resource } from './face/resource';
import { RESOURCES } from './face/resources';
import { tagList } from './face/schemas';
import { NeutronError } from './model/errors';
import type { NetworkModel } from './model/model';
import type { StoredBody } from './store';

export interface NetworkFaceDeps {
  readonly model: NetworkModel;
  readonly validator: TokenValidator;
  /** Where a client without a token is sent: the identity service. */
  readonly authUri: () => string;
  readonly log: Logger;
}

/** Networking v2.0 over HTTP, as far as `RESOURCES` goes. Serves at the root of its address or below any path. */
export function createNetworkFace({ model, validator, authUri, log }: NetworkFaceDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use((_req, res, next) => {
    res.set('x-openstack-request-id', `req-${randomUUID()}`);
    next();
  });
  app.get('/', (req, res) => void res.json({ versions: [describeVersion(req)] }));
  app.use('/v2.0', (req, res, next) => requireToken(validator, authUri())(req, res, next));
  app.use(express.json({ limit: '1mb', type: () => true }));
  app.get(
    '/v2.0',
    (req, res) => void res.json({ resources: RESOURCES.map((resource) => describeResource(req, resource)) }),
  );
  for (const resource of RESOURCES) app.use(`/v2.0/${resource.path}`, serveResource(resource, model));
  app.use('/v2.0', serveExtras());
  app.use(() => {
    throw new NeutronError(404, 'HTTPNotFound', 'The resource could not be found.');
  });
  app.use(answerError(log));
  return app;
}

function serveResource(resource: Resource, model: NetworkModel): Router {
  const { plural, singular } = resource;
  const router = Router();
  const contextOf = (res: Response): Context => ({ model, caller: identityOf(res) });
  const show = (id: string, req: Request): StoredBody => {
    const item = resource.rows.find(model, id);
    if (!item) throw resource.notFound(id);
    return { [singular]: selectFields(resource.view(model, item), req.query) };
  };

  router.get('/', async (req, res) => {
    const { items, next } = await listItems(resource, contextOf(res), req.query);
    const links = next === undefined ? {} : { [`${plural}_links`]: [{ rel: 'next', href: nextPage(req, next) }] };
    res.json({ [plural]: items.map((item) => selectFields(item, req.query)), ...links });
  });
  router.get('/:id', (req, res) => {
    const item = resource.rows.find(model, req.params.id);
    if (!item || !sees(resource, contextOf(res), item)) throw resource.notFound(req.params.id);
    res.json(show(item.id, req));
  });
  router.post('/', async (req, res) => {
    const { id } = await create(resource, contextOf(res), bodyOf(req, singular));
    res.status(201).json(show(id, req));
  });
  router.put('/:id', async (req, res) => {
    const ifRevision = revisionIn(req.get('if-match'));
    await update(resource, contextOf(res), { id: req.params.id, body: bodyOf(req, singular), ifRevision });
    res.json(show(req.params.id, req));
  });
  router.delete('/:id', async (req, res) => {
    requireOwned(resource, contextOf(res), { id: req.params.id, action: 'delete' });
    await (resource.remove ?? refuseMethod)(model, req.params.id);
    res.status(204).end();
  });
  return serveTags(resource, router, contextOf);
}

function serveTags(resource: Resource, router: Router, contextOf: (res: Response) => Context): Router {
  router.put('/:id/tags', async (req, res) => {
    const { tags } = parseBody(tagList, req.body);
    const { id } = requireOwned(resource, contextOf(res), { id: req.params.id, action: 'update' });
    await (resource.setTags ?? refuseMethod)(contextOf(res).model, id, tags);
    res.json({ tags });
  });
  router.delete('/:id/tags', async (req, res) => {
    const { id } = requireOwned(resource, contextOf(res), { id: req.params.id, action: 'update' });
    await (resource.setTags ?? refuseMethod)(contextOf(res).model, id, []);
    res.status(204).end();
  });
  return router;
}

async function create(resource: Resource, context: Context, body: StoredBody): Promise<{ readonly id: string }> {
  const rule = `create_${resource.singular}`;
  requireWriter(context.caller, rule);
  const projectId = chooseProject(context.caller, body, rule);
  requireAllowedAttributes(resource, context, { body, rule });
  const { project_id: _project, tenant_id: _tenant, ...attributes } = body;
  return (resource.create ?? refuseMethod)(context, attributes, projectId);
}

async function update(
  resource: Resource,
  context: Context,
  { id, body, ifRevision }: { id: string; body: StoredBody; ifRevision: number | null },
): Promise<void> {
  requireOwned(resource, context, { id, action: 'update' });
  requireAllowedAttributes(resource, context, { body, rule: `update_${resource.singular}` });
  await (resource.update ?? refuseMethod)(context, id, body, ifRevision);
}

/** Neutron's form: `If-Match: revision_number=7`. */
function revisionIn(header: string | undefined): number | null {
  const found = /^revision_number=(\d+)$/.exec(header ?? '')?.[1];
  return found === undefined ? null : Number(found);
}

function refuseMethod(): never {
  throw new NeutronError(405, 'HTTPMethodNotAllowed', 'The method is not allowed for this resource.');
}

function bodyOf(req: Request, singular: string): StoredBody {
  const parsed = z.object({ [singular]: z.record(z.string(), z.unknown()) }).safeParse(req.body);
  const body = parsed.data?.[singular];
  if (!body) throw badRequest(`Unable to find '${singular}' in request body`);
  return body;
}

function baseUrl(req: Request): string {
  return `${req.protocol}://${req.get('host')}${req.baseUrl}`;
}

function nextPage(req: Request, marker: string): string {
  const url = new URL(`${req.protocol}://${req.get('host')}${req.originalUrl}`);
  url.searchParams.set('marker', marker);
  return url.toString();
}

function describeVersion(req: Request) {
  return {
    id: 'v2.0',
    status: 'CURRENT',
    updated: '2016-01-21T00:00:00Z',
    links: [{ rel: 'self', href: `${baseUrl(req)}/v2.0/` }],
  };
}

function describeResource(req: Request, { plural, singular, path }: Resource) {
  return { name: singular, collection: plural, links: [{ rel: 'self', href: `${baseUrl(req)}/v2.0/${path}` }] };
}

/** Neutron's error form; what the JSON parser refuses is a client's mistake too. */
function answerError(log: Logger): ErrorRequestHandler {
  return (err, _req, res, _next) => {
    const refusal = toNeutronError(err);
    if (refusal.status >= 500) log.error({ err }, 'the embedded Neutron failed');
    const { status, type, message } = refusal;
    res.status(status).json({ NeutronError: { type, message, detail: '' } });
  };
}

function toNeutronError(err: unknown): NeutronError {
  if (err instanceof NeutronError) return err;
  if (err instanceof UnavailableError) return new NeutronError(503, 'ServiceUnavailable', err.message);
  const parserStatus = z.object({ status: z.int().min(400).max(499) }).safeParse(err).data?.status;
  if (parserStatus !== undefined) {
    return new NeutronError(
      parserStatus,
      'HTTPBadRequest',
      'The server could not comply with the request since it is malformed.',
    );
  }
  return new NeutronError(
    500,
    'HTTPInternalServerError',
    'Request Failed: internal server error while processing your request.',
  );
}
