import { type Condition, readOne } from '../../driver/db/read/model';
import { findOwner } from '../../driver/db/read/owners';
import { NotFoundError, PolicyForbiddenError } from '../../driver/domain/errors';
import type { ApiRequest, Handler } from '../exchange';
import { unknownParent } from '../faults';
import { selectFields } from '../listing/fields';
import { listPage } from '../listing/list';
import { authorize, type Policy } from '../policy/authorize';
import type { RuleName } from '../policy/rules';
import type { ResourceDeps } from './deps';
import type { Kind, Parent } from './kinds';

/** A value of the path; the route table has put it there. */
export function param(request: Pick<ApiRequest, 'params'>, name: string): string {
  return request.params[name] ?? '';
}

/** GET of one object: it must be there (404), then the caller may see it (403). */
export function showHandler<R extends { project_id: string }, V extends object>(
  { db, policy }: ResourceDeps,
  kind: Kind<R, V>,
  parent?: ParentKind,
): Handler {
  return {
    handle: async (request) => {
      const id = param(request, kind.idParam);
      const row = await readOne<R>(db, kind.model, id, belowParent(request, parent));
      if (!row && parent) await parentOwner({ db }, parent, request);
      if (!row) throw new NotFoundError(kind.title, id);
      authorize(policy, request.identity, `${kind.object}:get_one`, { projectId: row.project_id });
      return { status: 200, body: { [kind.root]: selectFields(kind.view(row), request.query) } };
    },
  };
}

/** GET of a collection that stands by itself: the caller's own objects, everybody's for global readers. */
export function listHandler<R extends object, V extends object>(
  { db, policy, lists }: ResourceDeps,
  kind: Kind<R, V>,
): Handler {
  return {
    handle: async ({ identity, query, url }) => {
      const project = visibleProject(policy, { identity, query }, kind.object);
      const conditions: Condition[] = project === null ? [] : [{ sql: 'o.project_id = ?', bindings: [project] }];
      const page = await listPage(db, lists, { model: kind.model, view: kind.view, conditions, query, url });
      return { status: 200, body: { [kind.plural]: page.items, [`${kind.plural}_links`]: page.links } };
    },
  };
}

type ScopedObject = Kind<object, object>['object'] | 'quota';

/**
 * The project a list is confined to; null: none.
 * @throws PolicyForbiddenError for a foreign `project_id`, and for a token without a project
 */
export function visibleProject(
  policy: Policy,
  { identity, query }: Pick<ApiRequest, 'identity' | 'query'>,
  object: ScopedObject,
): string | null {
  const asked = query.get('project_id');
  if (policy.allows(identity, `${object}:get_all-global`, { projectId: null })) return asked;
  if (identity.projectId === null || (asked !== null && asked !== identity.projectId)) throw new PolicyForbiddenError();
  authorize(policy, identity, `${object}:get_all`, { projectId: identity.projectId });
  return identity.projectId;
}

/** GET of a collection below a parent: whoever may see the parent's project sees all of it. */
export function listBelowHandler<R extends object, V extends object>(
  { db, policy, lists }: ResourceDeps,
  kind: Kind<R, V>,
  parent: ParentKind,
): Handler {
  return {
    handle: async (request) => {
      const { identity, query, url } = request;
      const projectId = await parentOwner({ db }, parent, request);
      authorize(policy, identity, `${kind.object}:get_all`, { projectId });
      const conditions = belowParent(request, parent);
      const page = await listPage(db, lists, { model: kind.model, view: kind.view, conditions, query, url });
      return { status: 200, body: { [kind.plural]: page.items, [`${kind.plural}_links`]: page.links } };
    },
  };
}

/** A parent that is part of the path. */
export interface ParentKind extends Parent {
  readonly table: 'pool' | 'l7policy';
  readonly title: 'Pool' | 'L7Policy';
}

/** The project of the parent the path names. @throws RouterFaultError (shape B) for an unknown one */
export async function parentOwner(
  { db }: Pick<ResourceDeps, 'db'>,
  parent: ParentKind,
  request: Pick<ApiRequest, 'params'>,
): Promise<string> {
  const id = param(request, parent.param);
  const owner = await findOwner(db, parent.table, id);
  if (owner === undefined) throw unknownParent(parent.title, id);
  return owner;
}

function belowParent(request: ApiRequest, parent: Parent | undefined): Condition[] {
  return parent ? [{ sql: `o.${parent.column} = ?`, bindings: [param(request, parent.param)] }] : [];
}

/** Before a PUT or DELETE: the object must be there (404), and its project's policy allow it (403). */
export async function authorizeObject<R, V extends object>(
  { db, policy }: Pick<ResourceDeps, 'db' | 'policy'>,
  kind: Kind<R, V>,
  { request, action, parent }: { request: ApiRequest; action: string; parent?: Parent },
): Promise<string> {
  const id = param(request, kind.idParam);
  const projectId = await findOwner(db, kind.table, id, parent && param(request, parent.param));
  if (projectId === undefined) throw new NotFoundError(kind.title, id);
  authorize(policy, request.identity, `${kind.object}:${action}` as RuleName, { projectId });
  return id;
}
