import type { Db } from '../../../driver/db/connect';
import type { TestApi } from '../../support/api';

/** A settled load balancer with one of everything, for tests of what a change does to the objects around it. */
export interface Tree {
  readonly lb: string;
  /** Its default pool is `pool`. */
  readonly listener: string;
  /** Has `policy`, which redirects to `pool`. */
  readonly redirecting: string;
  /** Uses no pool. */
  readonly bystander: string;
  readonly pool: string;
  /** Nobody uses it. */
  readonly spare: string;
  readonly member: string;
  readonly monitor: string;
  readonly policy: string;
  readonly rule: string;
}

export async function createTree(api: TestApi): Promise<Tree> {
  const make = async (path: string, root: string, body: object): Promise<string> => {
    const { id } = await api.create(`/v2/lbaas/${path}`, root, body);
    await api.settle();
    return id;
  };
  const lb = await make('loadbalancers', 'loadbalancer', { vip_subnet_id: api.changes.deps.newId() });
  const http = { protocol: 'HTTP', loadbalancer_id: lb };
  const pool = await make('pools', 'pool', { ...http, lb_algorithm: 'ROUND_ROBIN' });
  const spare = await make('pools', 'pool', { ...http, lb_algorithm: 'ROUND_ROBIN' });
  const listener = await make('listeners', 'listener', { ...http, protocol_port: 80, default_pool_id: pool });
  const redirecting = await make('listeners', 'listener', { ...http, protocol_port: 81 });
  const bystander = await make('listeners', 'listener', { ...http, protocol_port: 82 });
  const member = await make(`pools/${pool}/members`, 'member', { address: '10.0.0.1', protocol_port: 80 });
  const check = { type: 'TCP', delay: 1, timeout: 1, max_retries: 1 };
  const monitor = await make('healthmonitors', 'healthmonitor', { pool_id: pool, ...check });
  const redirect = { action: 'REDIRECT_TO_POOL', redirect_pool_id: pool };
  const policy = await make('l7policies', 'l7policy', { listener_id: redirecting, ...redirect });
  const path = { type: 'PATH', compare_type: 'STARTS_WITH', value: '/api' };
  const rule = await make(`l7policies/${policy}/rules`, 'rule', path);
  return { lb, listener, redirecting, bystander, pool, spare, member, monitor, policy, rule };
}

/** Of a load balancer, whatever others refer to first. */
const ROWS = [
  'quotas',
  'outbox',
  'load_balancer',
  'vip',
  'pool',
  'session_persistence',
  'listener',
  'sni',
  'listener_cidr',
  'member',
  'health_monitor',
  'l7policy',
  'l7rule',
  'tags',
];

/** Makes all rows of load balancers what they are now: a tree is put back many times as fast as it is made. */
export async function rememberRows(db: Db): Promise<() => Promise<void>> {
  const kept: [string, object[]][] = [];
  for (const table of ROWS) kept.push([table, await db(table)]);
  return () =>
    db.transaction(async (trx) => {
      for (const [table] of kept.toReversed()) await trx(table).delete();
      for (const [table, rows] of kept) if (rows.length > 0) await trx(table).insert(rows);
    });
}

const TABLES = ['load_balancer', 'listener', 'pool', 'member', 'health_monitor', 'l7policy', 'l7rule'];

/** Names of the tree's objects, and `new` for one that is not of it, with statuses that are not ACTIVE. */
export async function pendingOf(db: Db, tree: Tree): Promise<Record<string, string>> {
  const names = new Map(Object.entries(tree).map(([name, id]) => [id, name]));
  const pending: Record<string, string> = {};
  for (const table of TABLES) {
    const rows: { id: string; provisioning_status: string }[] = await db(table).select('id', 'provisioning_status');
    for (const { id, provisioning_status: status } of rows) {
      const name = names.get(id);
      // Tombstones of earlier tests.
      if (!name && status === 'DELETED') continue;
      if (status !== 'ACTIVE') pending[name ?? 'new'] = status;
    }
  }
  return pending;
}

export async function setStatus(db: Db, table: string, id: string, status: string): Promise<void> {
  await db(table).where({ id }).update({ provisioning_status: status });
}
