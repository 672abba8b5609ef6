import { type Db, prepared } from '../connect';

/** The tables of a load balancer's tree. */
export type TreeTable = 'load_balancer' | 'listener' | 'pool' | 'member' | 'health_monitor' | 'l7policy' | 'l7rule';

/** The column by which a row of the table names its parent, where the parent is part of its path. */
const PARENT: Partial<Record<TreeTable, string>> = { member: 'pool_id', l7rule: 'l7policy_id' };

/**
 * The project an object belongs to: what policy is asked about before a change. Undefined when it is not there, says
 * DELETED, or is not below the given parent.
 */
export async function findOwner(db: Db, table: TreeTable, id: string, parentId?: string): Promise<string | undefined> {
  const parent = parentId === undefined ? '' : ` and ${PARENT[table]} = ?`;
  const sql = `select project_id from ${table} where id = ? and provisioning_status <> 'DELETED'${parent}`;
  const [row] = await prepared<{ project_id: string }>(db, sql, parentId === undefined ? [id] : [id, parentId]);
  return row?.project_id;
}

/**
 * The project of a load balancer that is to get a child. One that says DELETED counts as well: creating below it is a
 * conflict, not a miss.
 */
export async function findLoadBalancerOwner(db: Db, id: string): Promise<string | undefined> {
  const sql = 'select project_id from load_balancer where id = ?';
  const [row] = await prepared<{ project_id: string }>(db, sql, [id]);
  return row?.project_id;
}
