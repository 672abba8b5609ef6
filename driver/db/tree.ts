import type { LoadBalancerTree } from '../domain/tree';
import { type Db, nowSql, prepared } from './connect';
import type {
  AdditionalVipRow,
  Bit,
  HealthMonitorRow,
  L7PolicyRow,
  L7RuleRow,
  ListenerCidrRow,
  ListenerRow,
  MemberRow,
  SniRow,
  VipSecurityGroupRow,
} from './rows';
import { assembleTree } from './treeAssembly';
import type { PlacementAndEngineRow, PoolAndPersistenceRow, RootRow, TreeRows } from './treeRows';

/**
 * Loads a load balancer with everything under it, in one statement for a bare one and twelve at most. The load
 * balancer's own row is read first: what comes after it may be newer than `generation` says, never older. Undefined for
 * one that is not there or is DELETED.
 */
export async function loadTree(db: Db, id: string): Promise<LoadBalancerTree | undefined> {
  const rows = await loadTreeRows(db, id);
  return rows && assembleTree(rows);
}

/** The rows that `loadTree` makes its tree of, with all that only a view of an object needs. */
export async function loadTreeRows(db: Db, id: string): Promise<TreeRows | undefined> {
  const [root] = await prepared<RootRow>(db, rootSql(db), [id]);
  if (!root) return undefined;
  const when = <T extends object>(flag: Bit, sql: string): Promise<T[]> =>
    Number(flag) === 1 ? prepared<T>(db, sql, [id]) : Promise.resolve([]);

  // One after another: in a transaction there is one connection.
  const securityGroups = await when<VipSecurityGroupRow>(root.has_security_groups, SECURITY_GROUPS);
  const additionalVips = await when<AdditionalVipRow>(root.has_additional_vips, ADDITIONAL_VIPS);
  const listeners = await when<ListenerRow>(root.has_listeners, LISTENERS);
  const cidrs = await when<ListenerCidrRow>(root.has_listeners, CIDRS);
  const snis = await when<SniRow>(root.has_listeners, SNIS);
  const policies = await when<L7PolicyRow>(root.has_listeners, POLICIES);
  const rules = await when<L7RuleRow>(policies.length > 0 ? 1 : 0, RULES);
  const pools = await when<PoolAndPersistenceRow>(root.has_pools, POOLS);
  const members = await when<MemberRow>(root.has_pools, MEMBERS);
  const monitors = await when<HealthMonitorRow>(root.has_pools, MONITORS);
  const placements = await when<PlacementAndEngineRow>(root.has_placements, PLACEMENTS);
  return {
    root,
    securityGroups,
    additionalVips,
    listeners,
    cidrs,
    snis,
    policies,
    rules,
    pools,
    members,
    monitors,
    placements,
  };
}

function rootSql(db: Db): string {
  return `select lb.*, vip.ip_address, vip.port_id, vip.subnet_id, vip.network_id, vip.qos_policy_id, vip.octavia_owned,
      (case when lb.pending_deadline <= ${nowSql(db)} then 1 else 0 end) as overdue,
      exists (select 1 from vip_security_group c where c.load_balancer_id = lb.id) as has_security_groups,
      exists (select 1 from additional_vip c where c.load_balancer_id = lb.id) as has_additional_vips,
      exists (select 1 from listener c where c.load_balancer_id = lb.id) as has_listeners,
      exists (select 1 from pool c where c.load_balancer_id = lb.id) as has_pools,
      exists (select 1 from placement c where c.load_balancer_id = lb.id) as has_placements,
      exists (select 1 from certificate_consumer c where c.load_balancer_id = lb.id) as has_consumers
    from load_balancer lb left join vip on vip.load_balancer_id = lb.id
    where lb.id = ? and lb.provisioning_status <> 'DELETED'`;
}

const SECURITY_GROUPS = 'select * from vip_security_group where load_balancer_id = ? order by sg_id';
const ADDITIONAL_VIPS = 'select * from additional_vip where load_balancer_id = ? order by position';
const LISTENERS = 'select * from listener where load_balancer_id = ? order by created_at, id';
const CIDRS = `select c.* from listener_cidr c join listener l on l.id = c.listener_id
  where l.load_balancer_id = ? order by c.position`;
const SNIS = `select s.* from sni s join listener l on l.id = s.listener_id
  where l.load_balancer_id = ? order by s.position`;
const POLICIES = `select p.* from l7policy p join listener l on l.id = p.listener_id
  where l.load_balancer_id = ? order by p.position, p.id`;
const RULES = `select r.* from l7rule r join l7policy p on p.id = r.l7policy_id join listener l on l.id = p.listener_id
  where l.load_balancer_id = ? order by r.created_at, r.id`;
const POOLS = `select p.*, s.type as persistence_type, s.cookie_name, s.persistence_timeout, s.persistence_granularity
  from pool p left join session_persistence s on s.pool_id = p.id
  where p.load_balancer_id = ? order by p.created_at, p.id`;
const MEMBERS = `select m.* from member m join pool p on p.id = m.pool_id
  where p.load_balancer_id = ? order by m.id`;
const MONITORS = `select h.* from health_monitor h join pool p on p.id = h.pool_id where p.load_balancer_id = ?`;
const PLACEMENTS = `select p.*, e.status as engine_status, e.deleting as engine_deleting, e.connected_to, e.management_address,
    e.created_at as engine_made, e.updated_at as engine_changed, e.isolated_since,
    (case when exists (select 1 from vip v join engine_reach r on r.domain_id = v.network_id
      where v.load_balancer_id = p.load_balancer_id and r.service_engine_id = e.id and r.cut_since is not null) then 1 else 0 end)
      as engine_cut
  from placement p join service_engine e on e.id = p.service_engine_id
  where p.load_balancer_id = ? order by p.created_at, p.id`;
