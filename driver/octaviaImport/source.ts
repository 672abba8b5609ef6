import type { Db } from '../db/connect';

/** Reading of a real Octavia's database, of any release since its API v2: columns that a release lacks are just not there. */

/** A row as its driver hands it out. */
export type OctaviaRow = Readonly<Record<string, unknown>>;

/** A load balancer of Octavia with all that hangs on it. */
export interface OctaviaTree {
  readonly loadBalancer: OctaviaRow;
  readonly vip: OctaviaRow | undefined;
  readonly additionalVips: readonly OctaviaRow[];
  readonly vipSecurityGroups: readonly OctaviaRow[];
  readonly listeners: readonly OctaviaRow[];
  readonly listenerCidrs: readonly OctaviaRow[];
  readonly snis: readonly OctaviaRow[];
  readonly pools: readonly OctaviaRow[];
  readonly sessionPersistences: readonly OctaviaRow[];
  readonly members: readonly OctaviaRow[];
  readonly healthMonitors: readonly OctaviaRow[];
  readonly l7Policies: readonly OctaviaRow[];
  readonly l7Rules: readonly OctaviaRow[];
  readonly tags: readonly OctaviaRow[];
  /** Those that serve it. */
  readonly amphorae: readonly OctaviaRow[];
}

/** Which load balancers are meant; empty lists: all. */
export interface Selection {
  readonly loadBalancerIds: readonly string[];
  readonly projectIds: readonly string[];
}

/** Ids of the load balancers there are, in their order of creation; what is DELETED is none. */
export async function listOctaviaLoadBalancers(octavia: Db, selection: Selection): Promise<string[]> {
  const query = octavia('load_balancer').whereNot('provisioning_status', 'DELETED');
  if (selection.loadBalancerIds.length > 0) query.whereIn('id', selection.loadBalancerIds);
  if (selection.projectIds.length > 0) query.whereIn('project_id', selection.projectIds);
  return query.orderBy(['created_at', 'id']).pluck('id');
}

/** Undefined for one that is not there. */
export async function readOctaviaTree(octavia: Db, id: string): Promise<OctaviaTree | undefined> {
  const loadBalancer: OctaviaRow | undefined = await octavia('load_balancer').where({ id }).first('*');
  if (!loadBalancer) return undefined;
  const rows = (table: string, column: string, ids: readonly unknown[]): Promise<OctaviaRow[]> =>
    ids.length === 0 ? Promise.resolve([]) : octavia(table).whereIn(column, ids as string[]);
  const own = (table: string): Promise<OctaviaRow[]> => rows(table, 'load_balancer_id', [id]);
  const listeners = await own('listener');
  const pools = await own('pool');
  const [listenerIds, poolIds] = [idsOf(listeners), idsOf(pools)];
  const members = await rows('member', 'pool_id', poolIds);
  const healthMonitors = await rows('health_monitor', 'pool_id', poolIds);
  const l7Policies = await rows('l7policy', 'listener_id', listenerIds);
  const l7Rules = await rows('l7rule', 'l7policy_id', idsOf(l7Policies));
  const objects = [[loadBalancer], listeners, pools, members, healthMonitors, l7Policies, l7Rules].flat();
  return {
    loadBalancer,
    vip: (await own('vip'))[0],
    additionalVips: (await has(octavia, 'additional_vip')) ? await own('additional_vip') : [],
    vipSecurityGroups: (await has(octavia, 'vip_security_group')) ? await own('vip_security_group') : [],
    listeners,
    listenerCidrs: (await has(octavia, 'listener_cidr')) ? await rows('listener_cidr', 'listener_id', listenerIds) : [],
    snis: await rows('sni', 'listener_id', listenerIds),
    pools,
    sessionPersistences: await rows('session_persistence', 'pool_id', poolIds),
    members,
    healthMonitors,
    l7Policies,
    l7Rules,
    tags: (await has(octavia, 'tags')) ? await rows('tags', 'resource_id', idsOf(objects)) : [],
    amphorae: await octavia('amphora').where({ load_balancer_id: id }).whereNot('status', 'DELETED'),
  };
}

/** A flavor or an availability zone with its profile; undefined without one. */
export async function readOctaviaChoice(
  octavia: Db,
  kind: 'flavor' | 'availability_zone',
  key: string,
): Promise<{ readonly choice: OctaviaRow; readonly profile: OctaviaRow } | undefined> {
  const column = kind === 'flavor' ? 'id' : 'name';
  const choice: OctaviaRow | undefined = await octavia(kind)
    .where({ [column]: key })
    .first('*');
  if (!choice) return undefined;
  const profile: OctaviaRow | undefined = await octavia(`${kind}_profile`)
    .where({ id: choice[`${kind}_profile_id`] as string })
    .first('*');
  return profile && { choice, profile };
}

/** The limits of a project; undefined for one that has none of its own. */
export async function readOctaviaQuota(octavia: Db, projectId: string): Promise<OctaviaRow | undefined> {
  return octavia('quotas').where({ project_id: projectId }).first('*');
}

function has(octavia: Db, table: string): Promise<boolean> {
  return octavia.schema.hasTable(table);
}

function idsOf(rows: readonly OctaviaRow[]): unknown[] {
  return rows.map(({ id }) => id);
}
