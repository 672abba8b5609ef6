import type { Db } from '../../driver/db/connect';
import { findLoadBalancerOwner, findOwner, type TreeTable } from '../../driver/db/read/owners';
import { InvalidOptionError, NotFoundError, ValidationError } from '../../driver/domain/errors';
import type { Identity } from '../../driver/domain/identity';
import { authorize } from '../policy/authorize';
import type { RuleName } from '../policy/rules';
import type { ResourceDeps } from './deps';

type Reference = string | null | undefined;

/** What the body of a POST says the new object belongs to; the first that is given counts. */
export interface ParentReferences {
  readonly loadBalancerId?: Reference;
  readonly listenerId?: Reference;
  readonly poolId?: Reference;
}

/**
 * Before a POST: the parent must be there (404), and its project's policy allow the new object (403).
 * @throws NotFoundError, PolicyForbiddenError, ValidationError when the body names no parent
 */
export async function authorizeChild(
  { db, policy }: Pick<ResourceDeps, 'db' | 'policy'>,
  identity: Identity,
  rule: RuleName,
  parents: ParentReferences,
): Promise<void> {
  authorize(policy, identity, rule, { projectId: await ownerOf(db, parents) });
}

const NAMES: Readonly<Record<keyof ParentReferences, string>> = {
  loadBalancerId: 'loadbalancer_id',
  listenerId: 'listener_id',
  poolId: 'pool_id',
};

async function ownerOf(db: Db, parents: ParentReferences): Promise<string> {
  const { loadBalancerId, listenerId, poolId } = parents;
  if (loadBalancerId) return found(await findLoadBalancerOwner(db, loadBalancerId), 'Load Balancer', loadBalancerId);
  if (listenerId) return below(db, 'listener', 'Listener', listenerId);
  if (poolId) return below(db, 'pool', 'Pool', poolId);
  const [only, ...others] = Object.keys(parents) as (keyof ParentReferences)[];
  if (only && others.length === 0) throw new InvalidOptionError('None', NAMES[only]);
  throw new ValidationError('Must provide at least one of: loadbalancer_id, listener_id');
}

async function below(db: Db, table: TreeTable, title: string, id: string): Promise<string> {
  return found(await findOwner(db, table, id), title, id);
}

function found(projectId: string | undefined, title: string, id: string): string {
  if (projectId === undefined) throw new NotFoundError(title, id);
  return projectId;
}
