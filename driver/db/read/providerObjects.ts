import { fromJson } from '../codecs';
import { type Db, prepared } from '../connect';
import {
  healthMonitorDict,
  l7PolicyDict,
  l7RuleDict,
  listenerDict,
  loadBalancerDict,
  memberDict,
  type ProviderDict,
  poolDict,
} from '../providerDicts';
import { findOwner, type ProviderKind } from '../providerOwners';
import type { Json } from '../rows';
import { loadTreeRows } from '../tree';
import type { PoolAndPersistenceRow, TreeRows } from '../treeRows';

/**
 * Objects as octavia-lib's data models name them, with everything below them. Keys that its older versions do not know,
 * whose clients then refuse the whole object, are there only when they say something. Never holds a certificate or key.
 */
export async function readProviderObject(db: Db, kind: ProviderKind, id: string): Promise<ProviderDict | undefined> {
  const owner = await findOwner(db, kind, id);
  const rows = owner && (await loadTreeRows(db, owner.loadBalancerId));
  if (!rows) return undefined;
  if (kind === 'loadbalancers') return wholeLoadBalancer(rows, await readFlavorData(db, rows.root.flavor_id));
  return FINDERS[kind](rows, id);
}

/** A load balancer with everything below it; undefined once it is DELETED. */
export function readProviderLoadBalancer(db: Db, id: string): Promise<ProviderDict | undefined> {
  return readProviderObject(db, 'loadbalancers', id);
}

type ChildKind = Exclude<ProviderKind, 'loadbalancers'>;
type Find = (rows: TreeRows, id: string) => ProviderDict | undefined;

const FINDERS: Readonly<Record<ChildKind, Find>> = {
  listeners: (rows, id) => pick(rows.listeners, id, (row) => wholeListener(rows, row)),
  pools: (rows, id) => pick(rows.pools, id, (row) => wholePool(rows, row)),
  members: (rows, id) => pick(rows.members, id, wholeMember),
  healthmonitors: (rows, id) => pick(rows.monitors, id, healthMonitorDict),
  l7policies: (rows, id) => pick(rows.policies, id, (row) => wholePolicy(rows, row)),
  l7rules: (rows, id) => pick(rows.rules, id, l7RuleDict),
};

function pick<T extends { id: string }>(rows: readonly T[], id: string, view: (row: T) => ProviderDict) {
  const row = rows.find((it) => it.id === id);
  return row && view(row);
}

async function readFlavorData(db: Db, flavorId: string | null): Promise<unknown> {
  if (flavorId === null) return null;
  const sql = `select p.flavor_data from flavor f join flavor_profile p on p.id = f.flavor_profile_id where f.id = ?`;
  const [row] = await prepared<{ flavor_data: Json }>(db, sql, [flavorId]);
  return row ? fromJson(row.flavor_data) : null;
}

function wholeLoadBalancer(rows: TreeRows, flavor: unknown): ProviderDict {
  const { root } = rows;
  const { vip_sg_ids, ...dict } = loadBalancerDict(root, {
    vip: { ...root, load_balancer_id: root.id, octavia_owned: root.octavia_owned ?? 0, vnic_type: '' },
    additionalVips: rows.additionalVips,
    securityGroupIds: rows.securityGroups.map(({ sg_id }) => sg_id),
  });
  return {
    ...dict,
    ...(rows.securityGroups.length > 0 && { vip_sg_ids }),
    availability_zone: root.availability_zone,
    flavor,
    listeners: orNull(rows.listeners.map((row) => wholeListener(rows, row))),
    pools: orNull(rows.pools.map((row) => wholePool(rows, row))),
  };
}

/** Octavia's own answer for a load balancer without any. */
function orNull<T>(items: readonly T[]): readonly T[] | null {
  return items.length > 0 ? items : null;
}

const LISTENER_DATA = {
  default_tls_container_data: null,
  sni_container_data: null,
  client_ca_tls_container_data: null,
  client_crl_container_data: null,
};

function wholeListener(rows: TreeRows, row: TreeRows['listeners'][number]): ProviderDict {
  const { hsts_max_age, hsts_include_subdomains, hsts_preload, ...dict } = listenerDict({
    row,
    cidrs: rows.cidrs.filter(({ listener_id }) => listener_id === row.id).map(({ cidr }) => cidr),
    sniRefs: rows.snis.filter(({ listener_id }) => listener_id === row.id).map((it) => it.tls_container_id),
  });
  const pool = rows.pools.find(({ id }) => id === row.default_pool_id);
  return {
    ...dict,
    ...LISTENER_DATA,
    ...(hsts_max_age !== null && { hsts_max_age, hsts_include_subdomains, hsts_preload }),
    default_pool: pool ? wholePool(rows, pool) : null,
    l7policies: rows.policies.filter(({ listener_id }) => listener_id === row.id).map((it) => wholePolicy(rows, it)),
  };
}

function wholePolicy(rows: TreeRows, row: TreeRows['policies'][number]): ProviderDict {
  return { ...l7PolicyDict(row), rules: rows.rules.filter((it) => it.l7policy_id === row.id).map(l7RuleDict) };
}

const POOL_DATA = { tls_container_data: null, ca_tls_container_data: null, crl_container_data: null };

function wholePool(rows: TreeRows, row: PoolAndPersistenceRow): ProviderDict {
  const { persistence_type: type, cookie_name, persistence_timeout, persistence_granularity } = row;
  const persistence =
    type === null ? null : { pool_id: row.id, type, cookie_name, persistence_timeout, persistence_granularity };
  const monitor = rows.monitors.find(({ pool_id }) => pool_id === row.id);
  return {
    ...poolDict({ row, persistence }),
    ...POOL_DATA,
    listener_id: rows.listeners.find(({ default_pool_id }) => default_pool_id === row.id)?.id ?? null,
    healthmonitor: monitor ? healthMonitorDict(monitor) : null,
    members: rows.members.filter(({ pool_id }) => pool_id === row.id).map(wholeMember),
  };
}

function wholeMember(row: TreeRows['members'][number]): ProviderDict {
  const { vnic_type, ...dict } = memberDict(row);
  return { ...dict, ...(vnic_type !== 'normal' && { vnic_type }) };
}
