import { type ReadModel, readOne } from '../../driver/db/read/model';
import { NotFoundError } from '../../driver/domain/errors';
import type { ApiRequest, Handler } from '../exchange';
import { selectFields } from '../listing/fields';
import { listPage } from '../listing/list';
import { authorize } from '../policy/authorize';
import type { RuleName } from '../policy/rules';
import type { ResourceDeps } from './deps';
import { param } from './reading';

/** A kind of object that belongs to no project: flavors, availability zones and their profiles, and what operators see. */
export interface CatalogueKind<R, V extends object> {
  readonly model: ReadModel;
  readonly view: (row: R) => V;
  readonly title: string;
  readonly object: CatalogueObject;
  readonly root: string;
  readonly plural: string;
  readonly linksKey: string;
  readonly keyParam: string;
}

type CatalogueObject =
  | 'flavor'
  | 'flavor-profile'
  | 'availability-zone'
  | 'availability-zone-profile'
  | 'slipstream:service-engine-group'
  | 'slipstream:service-engine'
  | 'slipstream:placement'
  | 'slipstream:event';

type Action = 'get_all' | 'get_one' | 'post' | 'put' | 'delete';

/** @throws PolicyForbiddenError */
export function authorizeCatalogue<R, V extends object>(
  { policy }: Pick<ResourceDeps, 'policy'>,
  { identity }: ApiRequest,
  kind: CatalogueKind<R, V>,
  action: Action,
): void {
  authorize(policy, identity, `${kind.object}:${action}` as RuleName, { projectId: null });
}

export function listCatalogue<R extends object, V extends object>(
  deps: ResourceDeps,
  kind: CatalogueKind<R, V>,
): Handler {
  return {
    handle: async (request) => {
      authorizeCatalogue(deps, request, kind, 'get_all');
      const { model, view } = kind;
      const { query, url } = request;
      const page = await listPage(deps.db, deps.lists, { model, view, conditions: [], query, url });
      return { status: 200, body: { [kind.plural]: page.items, [kind.linksKey]: page.links } };
    },
  };
}

export function showCatalogue<R extends object, V extends object>(
  deps: ResourceDeps,
  kind: CatalogueKind<R, V>,
): Handler {
  return {
    handle: async (request) => {
      authorizeCatalogue(deps, request, kind, 'get_one');
      const view = await readCatalogue(deps, kind, param(request, kind.keyParam));
      return { status: 200, body: { [kind.root]: selectFields(view, request.query) } };
    },
  };
}

/** @throws NotFoundError */
export async function readCatalogue<R extends object, V extends object>(
  { db }: Pick<ResourceDeps, 'db'>,
  kind: Pick<CatalogueKind<R, V>, 'model' | 'view' | 'title'>,
  key: string,
): Promise<V> {
  const row = await readOne<R>(db, kind.model, key);
  if (!row) throw new NotFoundError(kind.title, key);
  return kind.view(row);
}
