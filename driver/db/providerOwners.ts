import { type Db, prepared } from './connect';

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
