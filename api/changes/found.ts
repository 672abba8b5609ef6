import type { Db } from '../../driver/db/connect';
import { findLoadBalancer } from '../../driver/db/loadBalancers';
import { findLoadBalancerOwner } from '../../driver/db/read/owners';
import type { LoadBalancerRow } from '../../driver/db/rows';
import { NotFoundError } from '../../driver/domain/errors';

/**
 * The row, or the API's 404.
 * @throws NotFoundError
 */
export function found<Row>(row: Row | undefined, resource: string, id: string): Row {
  if (row === undefined) throw new NotFoundError(resource, id);
  return row;
}

/** @throws NotFoundError for an unknown or DELETED load balancer */
export async function foundLoadBalancer(db: Db, id: string): Promise<LoadBalancerRow> {
  return found(await findLoadBalancer(db, id), 'Load Balancer', id);
}

/**
 * The project of a load balancer that is to get a child. One that says DELETED is found here: the claim refuses it, as busy.
 * @throws NotFoundError
 */
export async function foundParent(db: Db, id: string): Promise<string> {
  return found(await findLoadBalancerOwner(db, id), 'Load Balancer', id);
}
