import type { Db } from './connect';

/** What belongs to a load balancer and can be named without it. */
export type OwnedKind = 'listener' | 'pool' | 'member' | 'health_monitor' | 'l7policy' | 'l7rule' | 'placement';

/** From each table to the one above it, up to one that names the load balancer. */
const PARENTS: Readonly<Record<OwnedKind, { readonly column: string; readonly table?: OwnedKind }>> = {
  listener: { column: 'load_balancer_id' },
  pool: { column: 'load_balancer_id' },
  placement: { column: 'load_balancer_id' },
  member: { column: 'pool_id', table: 'pool' },
  health_monitor: { column: 'pool_id', table: 'pool' },
  l7policy: { column: 'listener_id', table: 'listener' },
  l7rule: { column: 'l7policy_id', table: 'l7policy' },
};

/** The load balancer that an object belongs to; undefined when it is gone. */
export async function findLoadBalancerOf(db: Db, kind: OwnedKind, id: string): Promise<string | undefined> {
  const { column, table } = PARENTS[kind];
  const row: Record<string, string | null> | undefined = await db(kind).where({ id }).first(column);
  const parent = row?.[column];
  if (!parent) return undefined;
  return table ? findLoadBalancerOf(db, table, parent) : parent;
}
