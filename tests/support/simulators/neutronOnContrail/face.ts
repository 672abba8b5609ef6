import express, { type ErrorRequestHandler, type Express, type Request, type Response, Router } from 'express';
import { z } from 'zod';
import type { TokenValidator } from '../../../../driver/clouds/keystone/port';
import { identityOf, requireToken } from '../../../../driver/clouds/keystone/requireToken';
import { NeutronError } from '../../../../driver/clouds/network/model/errors';
import type { Identity } from '../../../../driver/domain/identity';
import { type Backend, type Item, isAdmin, itemOf, itemsOf } from './backend';
import { badRequest, missing, noResource, serverError } from './errors';
import { filtersOf, pageOf, pruned } from './listing';
import { DESCRIPTIONS, EXTENSIONS, KINDS, type NeutronKind } from './resources';

export interface NeutronFaceDeps {
  readonly backend: Backend;
  readonly validator: TokenValidator;
  readonly authUri: () => string;
  /** Whether things other than security groups may have a description. */
  readonly descriptions: boolean;
}

/** Networking v2.0 as a neutron-server with Contrail's core plugin offers it. */
export function createNeutronFace(deps: NeutronFaceDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use('/v2.0', (req, res, next) => requireToken(deps.validator, deps.authUri())(req, res, next));
  app.use(express.json({ limit: '1mb', type: () => true }));
  for (const kind of KINDS) app.use(`/v2.0/${kind.path}`, serveKind(deps, kind));
  const aliases = [...EXTENSIONS, ...(deps.descriptions ? [DESCRIPTIONS] : [])];
  app.get('/v2.0/extensions', (_req, res) => void res.json({ extensions: aliases.map(describeExtension) }));
  app.get('/v2.0/extensions/:alias', (req, res) => {
    if (!aliases.includes(req.params.alias)) throw noResource();
    res.json({ extension: describeExtension(req.params.alias) });
  });
  app.use(() => {
    throw noResource();
  });
  app.use(answerError);
  return app;
}

function describeExtension(alias: string) {
  return { alias, name: alias, description: '', links: [], updated: '2016-01-01T10:00:00-00:00' };
}

function serveKind({ backend, descriptions }: NeutronFaceDeps, kind: NeutronKind): Router {
  const { singular, plural } = kind;
  const router = Router();
  const attributes = new Set([...kind.attributes, ...(descriptions ? ['description'] : [])]);
  const ask = (caller: Identity, operation: 'CREATE' | 'READ' | 'UPDATE' | 'DELETE' | 'READALL', data: Item) =>
    backend.ask({ resource: singular, operation, caller, data });
  /** As the policy sees it: what is another's is not there. */
  const find = async (caller: Identity, id: string): Promise<Item> => {
    const item = itemOf(await ask(caller, 'READ', { id, fields: [] }));
    if (!sees(kind, caller, item)) throw missing(kind.missing, id);
    return item;
  };

  router.get('/', async (req, res) => {
    const caller = identityOf(res);
    const found = itemsOf(await ask(caller, 'READALL', { filters: filtersOf(req.query), fields: [] }));
    const { items, links } = pageOf(
      found.filter((item) => sees(kind, caller, item)),
      req,
      plural,
    );
    res.json({ [plural]: items.map((item) => pruned(item, req.query)), ...links });
  });
  router.get('/:id', async (req, res) => {
    res.json({ [singular]: pruned(await find(identityOf(res), req.params.id), req.query) });
  });
  router.post('/', async (req, res) => {
    const caller = identityOf(res);
    const given = bodyOf(req, singular, attributes);
    const owner = ownerOf(caller, given);
    const resource = { ...kind.defaults, ...given, tenant_id: owner };
    res.status(201).json({ [singular]: await ask(caller, 'CREATE', { resource }) });
  });
  router.put('/:id', async (req: Request<{ id: string }>, res: Response) => {
    const caller = identityOf(res);
    const { id } = req.params;
    const given = bodyOf(req, singular, attributes);
    await find(caller, id);
    res.json({ [singular]: await ask(caller, 'UPDATE', { id, resource: given }) });
  });
  router.delete('/:id', async (req, res) => {
    const caller = identityOf(res);
    const { id } = req.params;
    await find(caller, id);
    await ask(caller, 'DELETE', { id });
    res.status(204).end();
  });
  return router;
}

function sees({ isPublic }: NeutronKind, caller: Identity, item: Item): boolean {
  return isAdmin(caller) || item['tenant_id'] === caller.projectId || (isPublic?.(item) ?? false);
}

/** The project a new thing is for: only an admin makes it another's. */
function ownerOf(caller: Identity, given: Item): string {
  const asked = given['project_id'] ?? given['tenant_id'];
  const own = caller.projectId ?? '';
  if (typeof asked !== 'string' || asked === own) return own;
  if (!isAdmin(caller))
    throw badRequest(
      "Specifying 'project_id' or 'tenant_id' other than the authenticated project in request requires admin privileges",
    );
  return asked;
}

function bodyOf(req: Request, singular: string, attributes: ReadonlySet<string>): Item {
  const body = z.object({ [singular]: z.record(z.string(), z.unknown()) }).safeParse(req.body).data?.[singular];
  if (!body) throw badRequest(`Unable to find '${singular}' in request body`);
  const unknown = Object.keys(body).filter((name) => !attributes.has(name));
  if (unknown.length > 0) throw badRequest(`Unrecognized attribute(s) '${unknown.join(', ')}'`);
  return body;
}

const answerError: ErrorRequestHandler = (error, _req, res, _next) => {
  const { status, type, message } = error instanceof NeutronError ? error : serverError();
  res.status(status).json({ NeutronError: { type, message, detail: '' } });
};
