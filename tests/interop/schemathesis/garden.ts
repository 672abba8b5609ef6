import type { TestApi } from '../../support/api';
import { insertEngine, insertGroup, insertPlacement } from '../../support/rows';

/** One object of each kind, there for requests to find, change and delete. */
export interface Garden {
  readonly planted: Planted;
  /** Plants all anew when something planted is gone, or when so much has grown that requests become slow. */
  tend(): Promise<void>;
}

export interface Planted {
  /** By the name of a parameter in a path. */
  readonly paths: Readonly<Record<string, string>>;
  /** By the name of a field in a body. */
  readonly references: Readonly<Record<string, string>>;
  /** The key of the row in a table. */
  readonly rows: Readonly<Record<string, string>>;
}

export interface Ground {
  readonly api: TestApi;
  /** Of an operator. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of the users whose requests are to find something. */
  readonly projectId: string;
  readonly subnetId: string;
}

const MOST_LOAD_BALANCERS = 12;

export async function plantGarden(ground: Ground): Promise<Garden> {
  let planted = await plant(ground);
  return {
    get planted() {
      return planted;
    },
    async tend() {
      const { api } = ground;
      const [row] = await api.db('load_balancer').count({ count: '*' });
      if (Number(row?.['count']) < MOST_LOAD_BALANCERS && (await isWhole(api, planted))) return;
      await clear(api);
      planted = await plant(ground);
    },
  };
}

async function isWhole({ db }: TestApi, { rows }: Planted): Promise<boolean> {
  for (const [table, key] of Object.entries(rows)) {
    const query = db(table).where({ [table === 'availability_zone' ? 'name' : 'id']: key });
    if (table === 'load_balancer') query.whereNot({ provisioning_status: 'DELETED' });
    if (!(await query.first())) return false;
  }
  return true;
}

async function clear({ db, network, changes }: TestApi): Promise<void> {
  await changes.deps.publisher.idle();
  await db.raw('pragma foreign_keys = off');
  for (const table of await tablesOf(db)) await db(table).delete();
  await db.raw('pragma foreign_keys = on');
  for (const { id } of await network.listPorts({})) await network.deletePort(id);
}

/** Every table that holds state. */
export async function tablesOf(db: TestApi['db']): Promise<string[]> {
  const rows: { name: string }[] = await db('sqlite_master').where({ type: 'table' }).select('name');
  return rows.map(({ name }) => name).filter((name) => name !== 'schema_migration' && !name.startsWith('sqlite_'));
}

async function plant(ground: Ground): Promise<Planted> {
  const { api, headers, projectId, subnetId } = ground;
  // biome-ignore lint/suspicious/noExplicitAny: looks into answers of every shape
  const make = async (path: string, root: string, fields: object): Promise<any> => {
    const answer = await api.post(`/v2/lbaas/${path}`, { [root]: fields }, headers);
    if (answer.status !== 201) throw new Error(`POST ${path}: ${answer.status} ${answer.text}`);
    return answer.body[root];
  };
  const offer = { name: 'planted', provider_name: 'slipstream' };
  const profile = await make('flavorprofiles', 'flavorprofile', { ...offer, flavor_data: '{}' });
  const flavor = await make('flavors', 'flavor', { name: 'planted', flavor_profile_id: profile.id });
  const zoneData = { ...offer, availability_zone_data: '{}' };
  const zoneProfile = await make('availabilityzoneprofiles', 'availability_zone_profile', zoneData);
  const zoneFields = { name: 'planted', availability_zone_profile_id: zoneProfile.id };
  await make('availabilityzones', 'availability_zone', zoneFields);
  const tree = await make('loadbalancers', 'loadbalancer', aTree(ground));
  await api.settle();
  const placed = await place(api, tree.id);
  const rows = { ...rowsOf(tree), flavor: flavor.id, flavor_profile: profile.id, ...placed };
  const zones = { availability_zone: 'planted', availability_zone_profile: zoneProfile.id };
  return { ...namesOf({ ...rows, ...zones }, { projectId, subnetId }), rows: { ...rows, ...zones } };
}

/** An amphora, as the API shows it, and what operators see of it. */
async function place({ db }: TestApi, loadBalancerId: string): Promise<Record<string, string>> {
  const group = await insertGroup(db);
  const engine = await insertEngine(db, { service_engine_group_id: group.id, compute_id: 'server' });
  const placement = await insertPlacement(db, { load_balancer_id: loadBalancerId, service_engine_id: engine.id });
  return { placement: placement.id, service_engine: engine.id, service_engine_group: group.id };
}

function aTree({ projectId, subnetId }: Ground): object {
  const rule = { type: 'PATH', compare_type: 'STARTS_WITH', value: '/x' };
  const check = { type: 'HTTP', delay: 5, timeout: 3, max_retries: 2 };
  const pool = {
    name: 'planted',
    protocol: 'HTTP',
    lb_algorithm: 'ROUND_ROBIN',
    members: [{ address: '10.0.0.1', protocol_port: 80 }],
    healthmonitor: check,
  };
  const listener = {
    protocol: 'HTTP',
    protocol_port: 80,
    default_pool: pool,
    l7policies: [{ action: 'REJECT', rules: [rule] }],
  };
  return { project_id: projectId, vip_subnet_id: subnetId, listeners: [listener] };
}

// biome-ignore lint/suspicious/noExplicitAny: the answer to a fully populated create
function rowsOf(tree: any): Record<string, string> {
  const [listener] = tree.listeners;
  const [pool] = tree.pools;
  const [policy] = listener.l7policies;
  return {
    load_balancer: tree.id,
    listener: listener.id,
    pool: pool.id,
    member: pool.members[0].id,
    health_monitor: pool.healthmonitor.id,
    l7policy: policy.id,
    l7rule: policy.rules[0].id,
  };
}

function namesOf(
  rows: Record<string, string>,
  { projectId, subnetId }: Pick<Ground, 'projectId' | 'subnetId'>,
): Pick<Planted, 'paths' | 'references'> {
  const names = {
    loadbalancer_id: rows['load_balancer'],
    listener_id: rows['listener'],
    pool_id: rows['pool'],
    member_id: rows['member'],
    healthmonitor_id: rows['health_monitor'],
    l7policy_id: rows['l7policy'],
    rule_id: rows['l7rule'],
    flavor_id: rows['flavor'],
    flavorprofile_id: rows['flavor_profile'],
    availability_zone_profile_id: rows['availability_zone_profile'],
    amphora_id: rows['placement'],
    placement_id: rows['placement'],
    service_engine_id: rows['service_engine'],
    service_engine_group_id: rows['service_engine_group'],
    project_id: projectId,
  } as Record<string, string>;
  return {
    paths: { ...names, name: 'planted', provider: 'slipstream' },
    references: {
      ...names,
      default_pool_id: names['pool_id'] ?? '',
      redirect_pool_id: names['pool_id'] ?? '',
      flavor_profile_id: names['flavorprofile_id'] ?? '',
      availability_zone: 'planted',
      vip_subnet_id: subnetId,
      subnet_id: subnetId,
      provider: 'slipstream',
      provider_name: 'slipstream',
    },
  };
}
