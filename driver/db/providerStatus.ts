import { settleDeleted, settleRemoved } from '../domain/settlement';
import { isPending, type OperatingStatus, type ProvisioningStatus } from '../domain/status';
import { type Db, dbNow, nowPlus, prepared } from './connect';
import { applySettlement } from './settle';
import { loadTree } from './tree';

/**
 * Statuses as a provider driver of somebody else reports them, object by object. They are that driver's responsibility:
 * nothing is rolled up, and what it says is done is done.
 */

/** The kinds of objects under octavia-lib's names, with their tables. */
export const PROVIDER_TABLES = {
  loadbalancers: 'load_balancer',
  listeners: 'listener',
  pools: 'pool',
  members: 'member',
  healthmonitors: 'health_monitor',
  l7policies: 'l7policy',
  l7rules: 'l7rule',
} as const;
export type ProviderKind = keyof typeof PROVIDER_TABLES;

/** The load balancer an object belongs to. */
export interface Owner {
  readonly loadBalancerId: string;
  readonly provider: string;
}

const FROM: Readonly<Record<ProviderKind, string>> = {
  loadbalancers: 'load_balancer lb where lb.id = ?',
  listeners: 'listener o join load_balancer lb on lb.id = o.load_balancer_id where o.id = ?',
  pools: 'pool o join load_balancer lb on lb.id = o.load_balancer_id where o.id = ?',
  members:
    'member o join pool p on p.id = o.pool_id join load_balancer lb on lb.id = p.load_balancer_id where o.id = ?',
  healthmonitors:
    'health_monitor o join pool p on p.id = o.pool_id join load_balancer lb on lb.id = p.load_balancer_id where o.id = ?',
  l7policies:
    'l7policy o join listener l on l.id = o.listener_id join load_balancer lb on lb.id = l.load_balancer_id where o.id = ?',
  l7rules: `l7rule o join l7policy p on p.id = o.l7policy_id join listener l on l.id = p.listener_id
    join load_balancer lb on lb.id = l.load_balancer_id where o.id = ?`,
};

/** Undefined for an unknown object, and for a load balancer that is DELETED. */
export async function findOwner(db: Db, kind: ProviderKind, id: string): Promise<Owner | undefined> {
  const sql = `select lb.id, lb.provider from ${FROM[kind]} and lb.provisioning_status <> 'DELETED'`;
  const [row] = await prepared<{ id: string; provider: string }>(db, sql, [id]);
  return row && { loadBalancerId: row.id, provider: row.provider };
}

/** The VIPs' ports that go with the load balancer: those that were made for it. */
export async function listOwnVipPorts(db: Db, loadBalancerId: string): Promise<readonly string[]> {
  const sql = `select v.port_id from vip v where v.load_balancer_id = ? and v.octavia_owned = 1
    union select a.port_id from additional_vip a join vip v on v.load_balancer_id = a.load_balancer_id
      where a.load_balancer_id = ? and v.octavia_owned = 1`;
  const rows = await prepared<{ port_id: string | null }>(db, sql, [loadBalancerId, loadBalancerId]);
  return rows.flatMap(({ port_id }) => port_id ?? []);
}

export interface StatusReport {
  readonly kind: ProviderKind;
  readonly id: string;
  readonly provisioningStatus?: ProvisioningStatus;
  readonly operatingStatus?: OperatingStatus;
}

/**
 * Writes a report about an object of the load balancer. DELETED removes the object with its parts and lowers the quota; a
 * load balancer stays as DELETED until the purge. Its row is written first: reports about one tree come one after another,
 * and a worker's run that is under way is void.
 * @param pendingDeadline seconds a PENDING status may last from now on
 */
export async function applyReport(
  trx: Db,
  { loadBalancerId, report }: { loadBalancerId: string; report: StatusReport },
  pendingDeadline: number,
): Promise<void> {
  await trx('load_balancer')
    .where({ id: loadBalancerId })
    .update({ lease_epoch: trx.raw('lease_epoch + 1'), lease_owner: null, lease_until: null });
  const status = report.provisioningStatus;
  if (status === 'DELETED') return applyDeleted(trx, loadBalancerId, report);
  const columns = {
    ...(status !== undefined && { provisioning_status: status }),
    // What is in force is not on its way out: its driver has refused to delete it.
    ...(status === 'ACTIVE' && { deleting: 0 }),
    ...(report.operatingStatus !== undefined && { operating_status: report.operatingStatus }),
    ...(report.kind === 'loadbalancers' && status !== undefined && workColumns(trx, status, pendingDeadline)),
  };
  if (Object.keys(columns).length === 0) return;
  await trx(PROVIDER_TABLES[report.kind]).where({ id: report.id }).update(columns);
}

function workColumns(trx: Db, status: ProvisioningStatus, pendingDeadline: number): object {
  if (isPending(status)) return { pending_deadline: nowPlus(trx, pendingDeadline) };
  return { settled_generation: trx.raw('generation'), pending_deadline: null, attempts: 0, retry_at: null };
}

async function applyDeleted(trx: Db, loadBalancerId: string, { kind, id }: StatusReport): Promise<void> {
  const tree = await loadTree(trx, loadBalancerId);
  if (!tree) return;
  const whole = kind === 'loadbalancers';
  if (whole) {
    await trx('load_balancer')
      .where({ id })
      .update({
        provisioning_status: 'DELETED',
        operating_status: 'OFFLINE',
        deleting: 1,
        settled_generation: trx.raw('generation'),
        pending_deadline: null,
        deleted_at: dbNow(trx),
      });
  }
  await applySettlement(trx, tree, whole ? settleDeleted(tree) : settleRemoved(tree, id));
}
