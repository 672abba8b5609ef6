import { toDbTime } from './codecs';
import { type Db, nowPlusSql } from './connect';
import { insertRows } from './insertRows';
import type { AdditionalVipRow, LoadBalancerRow, Time, VipRow } from './rows';

/** A load balancer's own columns that a create decides; the rest is the same for every new one. */
export type NewLoadBalancer = Pick<
  LoadBalancerRow,
  'id' | 'project_id' | 'name' | 'description' | 'enabled' | 'provider' | 'topology' | 'flavor_id' | 'availability_zone'
>;

export interface NewLoadBalancerRows {
  readonly loadBalancer: NewLoadBalancer;
  readonly vip: VipRow;
  readonly additionalVips: readonly AdditionalVipRow[];
  readonly securityGroupIds: readonly string[];
}

/** PENDING_CREATE and OFFLINE, generation 1 wanted and none settled, due `deadline` seconds from now by the database's clock. */
export async function insertLoadBalancer(
  db: Db,
  { loadBalancer, vip, additionalVips, securityGroupIds }: NewLoadBalancerRows,
  { deadline, at }: { deadline: number; at: Date },
): Promise<void> {
  const row = {
    ...loadBalancer,
    provisioning_status: 'PENDING_CREATE',
    operating_status: 'OFFLINE',
    deleting: 0,
    created_at: toDbTime(at),
    updated_at: null,
    generation: 1,
    settled_generation: 0,
    retry_at: null,
    attempts: 0,
    lease_owner: null,
    lease_epoch: 0,
    lease_until: null,
    vip_withdrawn_at: null,
    deleted_at: null,
  };
  await insertRows(db, 'load_balancer', [row], { pending_deadline: nowPlusSql(db, deadline) });
  await insertRows(db, 'vip', [vip]);
  await insertRows(db, 'additional_vip', additionalVips);
  await insertSecurityGroups(db, loadBalancer.id, securityGroupIds);
}

/** Undefined for an unknown or DELETED one. */
export async function findLoadBalancer(db: Db, id: string): Promise<LoadBalancerRow | undefined> {
  return db<LoadBalancerRow>('load_balancer').where({ id }).whereNot('provisioning_status', 'DELETED').first();
}

export async function findVip(db: Db, loadBalancerId: string): Promise<VipRow | undefined> {
  return db<VipRow>('vip').where({ load_balancer_id: loadBalancerId }).first();
}

/** Main VIP first, in the user's order after it. */
export async function listVipAddresses(db: Db, loadBalancerId: string): Promise<string[]> {
  const main: (string | null)[] = await db('vip').where({ load_balancer_id: loadBalancerId }).pluck('ip_address');
  const more: (string | null)[] = await db('additional_vip')
    .where({ load_balancer_id: loadBalancerId })
    .orderBy('position')
    .pluck('ip_address');
  return [...main, ...more].filter((address) => address !== null);
}

export async function listAdditionalVips(db: Db, loadBalancerId: string): Promise<AdditionalVipRow[]> {
  return db<AdditionalVipRow>('additional_vip').where({ load_balancer_id: loadBalancerId }).orderBy('position');
}

export async function listSecurityGroupIds(db: Db, loadBalancerId: string): Promise<string[]> {
  return db('vip_security_group').where({ load_balancer_id: loadBalancerId }).orderBy('sg_id').pluck('sg_id');
}

/** The whole list is replaced. */
export async function replaceSecurityGroups(db: Db, loadBalancerId: string, ids: readonly string[]): Promise<void> {
  await db('vip_security_group').where({ load_balancer_id: loadBalancerId }).delete();
  await insertSecurityGroups(db, loadBalancerId, ids);
}

async function insertSecurityGroups(db: Db, loadBalancerId: string, ids: readonly string[]): Promise<void> {
  const rows = ids.map((id) => ({ load_balancer_id: loadBalancerId, sg_id: id }));
  await insertRows(db, 'vip_security_group', rows);
}

/**
 * Writes columns of a load balancer that has been claimed, and the VIP's QoS policy if one is given or taken away.
 */
export async function updateLoadBalancer(
  db: Db,
  id: string,
  columns: Partial<Pick<LoadBalancerRow, 'name' | 'description' | 'enabled'>>,
  qosPolicyId: string | null | undefined,
): Promise<void> {
  if (Object.keys(columns).length > 0) await db('load_balancer').where({ id }).update(columns);
  if (qosPolicyId === undefined) return;
  await db('vip').where({ load_balancer_id: id }).update({ qos_policy_id: qosPolicyId });
}

/** Whether anything hangs below it that is not on its way out. */
export async function hasChildren(db: Db, loadBalancerId: string): Promise<boolean> {
  const live = { load_balancer_id: loadBalancerId, deleting: 0 };
  const listener = await db('listener').where(live).first('id');
  return listener !== undefined || (await db('pool').where(live).first('id')) !== undefined;
}

/** Asks for every placement of the load balancer to be moved. */
export async function requestFailover(
  db: Db,
  { loadBalancerId, requestId }: { loadBalancerId: string; requestId: string },
  at: Date,
): Promise<void> {
  const updatedAt: Time = toDbTime(at);
  await db('placement')
    .where({ load_balancer_id: loadBalancerId, deleting: 0 })
    .update({ request: 'failover', request_id: requestId, updated_at: updatedAt });
}
