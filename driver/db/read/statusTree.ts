import type { OperatingStatus, ProvisioningStatus } from '../../domain/status';
import { type Db, prepared } from '../connect';
import type { Time } from '../rows';
import { NOT_DELETED } from './model';

export interface NodeStatus {
  readonly id: string;
  readonly name: string;
  readonly operating_status: OperatingStatus;
  readonly provisioning_status: ProvisioningStatus;
}

/** The statuses of a load balancer's tree, each list oldest first. */
export interface StatusTree extends NodeStatus {
  readonly project_id: string;
  readonly listeners: readonly ListenerStatus[];
  readonly pools: readonly NodeStatus[];
  readonly monitors: readonly MonitorStatus[];
  readonly members: readonly MemberStatus[];
  /** Pools that L7 policies of a listener send requests to, by position. */
  readonly redirects: readonly { readonly listenerId: string; readonly poolId: string }[];
}

export type ListenerStatus = NodeStatus & { readonly defaultPoolId: string | null };
export type MonitorStatus = NodeStatus & { readonly poolId: string; readonly type: string };
export type MemberStatus = NodeStatus & {
  readonly poolId: string;
  readonly address: string;
  readonly protocol_port: number;
};

/** What `a`, `b` and `c` hold depends on the kind. */
interface Row extends NodeStatus {
  readonly kind: 'lb' | 'listener' | 'pool' | 'monitor' | 'member' | 'redirect';
  readonly created_at: Time;
  readonly a: string | null;
  readonly b: string | null;
  readonly c: number | null;
}

const node = (alias: string): string =>
  ['id', 'name', 'operating_status', 'provisioning_status', 'created_at'].map((column) => `${alias}.${column}`).join();

const SQL = [
  `select 'lb' as kind, ${node('o')}, o.project_id as a, null as b, null as c
    from load_balancer o where ${NOT_DELETED} and o.id = ?`,
  `select 'listener', ${node('l')}, l.default_pool_id, null, null from listener l where l.load_balancer_id = ?`,
  `select 'pool', ${node('p')}, null, null, null from pool p where p.load_balancer_id = ?`,
  `select 'monitor', ${node('h')}, h.pool_id, h.type, null
    from pool p join health_monitor h on h.pool_id = p.id where p.load_balancer_id = ?`,
  `select 'member', ${node('m')}, m.pool_id, m.ip_address, m.protocol_port
    from pool p join member m on m.pool_id = p.id where p.load_balancer_id = ?`,
  `select 'redirect', ${node('y')}, y.listener_id, y.redirect_pool_id, y.position
    from listener l join l7policy y on y.listener_id = l.id
    where l.load_balancer_id = ? and y.redirect_pool_id is not null`,
].join(' union all ');

/** One statement, whatever the size of the tree; undefined for a load balancer that is not there. */
export async function readStatusTree(db: Db, loadBalancerId: string): Promise<StatusTree | undefined> {
  const rows = await prepared<Row>(db, SQL, new Array(6).fill(loadBalancerId));
  const root = rows.find(({ kind }) => kind === 'lb');
  if (!root) return undefined;
  const of = (kind: Row['kind']): Row[] => rows.filter((row) => row.kind === kind).sort(byAge);
  return {
    ...root,
    project_id: root.a ?? '',
    listeners: of('listener').map((row) => ({ ...row, defaultPoolId: row.a })),
    pools: of('pool'),
    monitors: of('monitor').map((row) => ({ ...row, poolId: row.a ?? '', type: row.b ?? '' })),
    members: of('member').map((row) => ({
      ...row,
      poolId: row.a ?? '',
      address: row.b ?? '',
      protocol_port: Number(row.c),
    })),
    redirects: of('redirect')
      .sort((one, other) => Number(one.c) - Number(other.c))
      .map(({ a, b }) => ({ listenerId: a ?? '', poolId: b ?? '' })),
  };
}

function byAge(one: Row, other: Row): number {
  if (one.created_at !== other.created_at) return one.created_at < other.created_at ? -1 : 1;
  return one.id < other.id ? -1 : 1;
}
