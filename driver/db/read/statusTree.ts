import type { OperatingStatus, ProvisioningStatus } from '../../domain/status';
import { type Db, prepared } from '../connect';
import type { Aggregate } from '../sql';
import { NOT_DELETED } from './model';
import { decodeText, rowList, splitRows } from './relations';

export interface NodeStatus {
  readonly id: string;
  readonly name: string;
  readonly operating_status: OperatingStatus;
  readonly provisioning_status: ProvisioningStatus;
}

/** The statuses of a load balancer's tree. */
export interface StatusTree extends NodeStatus {
  readonly project_id: string;
  readonly listeners: readonly ListenerStatus[];
  readonly pools: readonly PoolStatus[];
  readonly members: readonly MemberStatus[];
  /** Pools that L7 policies of a listener send requests to. */
  readonly redirects: readonly { readonly listenerId: string; readonly poolId: string }[];
}

export type ListenerStatus = NodeStatus & { readonly defaultPoolId: string | null };
export type PoolStatus = NodeStatus & { readonly monitor: (NodeStatus & { readonly type: string }) | null };
export type MemberStatus = NodeStatus & {
  readonly poolId: string;
  readonly address: string;
  readonly protocol_port: number;
};

type Row = NodeStatus & { project_id: string } & Record<'listeners' | 'pools' | 'members' | 'redirects', string | null>;

const LISTENERS = rowList([...node('l'), 'l.default_pool_id'], below('listener l', 'l'));
const POOLS = rowList(
  [...node('p'), ...node('h'), 'h.type'],
  below('pool p left join health_monitor h on h.pool_id = p.id', 'p'),
);
const MEMBERS = rowList([...node('m'), 'm.pool_id', 'm.ip_address', 'm.protocol_port'], {
  from: 'pool p join member m on m.pool_id = p.id',
  where: 'p.load_balancer_id = o.id',
  orderBy: 'm.created_at, m.id',
});
const REDIRECTS = rowList(['y.listener_id', 'y.redirect_pool_id'], {
  from: 'listener l join l7policy y on y.listener_id = l.id',
  where: 'l.load_balancer_id = o.id and y.redirect_pool_id is not null',
  orderBy: 'y.position, y.id',
});
const SQL = `select o.id, o.name, o.operating_status, o.provisioning_status, o.project_id, ${LISTENERS} as listeners,
  ${POOLS} as pools, ${MEMBERS} as members, ${REDIRECTS} as redirects
  from load_balancer o where ${NOT_DELETED} and o.id = ?`;

/** One statement, whatever the size of the tree; undefined for a load balancer that is not there. */
export async function readStatusTree(db: Db, loadBalancerId: string): Promise<StatusTree | undefined> {
  const [row] = await prepared<Row>(db, SQL, [loadBalancerId]);
  return (
    row && {
      ...row,
      listeners: splitRows(row.listeners).map(([id, name, oper, prov, poolId]) => ({
        ...nodeOf(id, name, oper, prov),
        defaultPoolId: poolId || null,
      })),
      pools: splitRows(row.pools).map(poolOf),
      members: splitRows(row.members).map(memberOf),
      redirects: splitRows(row.redirects).map(([listenerId = '', poolId = '']) => ({ listenerId, poolId })),
    }
  );
}

function node(alias: string): string[] {
  return [`${alias}.id`, `hex(${alias}.name)`, `${alias}.operating_status`, `${alias}.provisioning_status`];
}

function below(from: string, alias: string): Aggregate {
  return { from, where: `${alias}.load_balancer_id = o.id`, orderBy: `${alias}.created_at, ${alias}.id` };
}

function nodeOf(id = '', name = '', oper = '', prov = ''): NodeStatus {
  return {
    id,
    name: decodeText(name),
    operating_status: oper as OperatingStatus,
    provisioning_status: prov as ProvisioningStatus,
  };
}

function poolOf([id, name, oper, prov, hmId, hmName, hmOper, hmProv, type = '']: string[]): PoolStatus {
  return { ...nodeOf(id, name, oper, prov), monitor: hmId ? { ...nodeOf(hmId, hmName, hmOper, hmProv), type } : null };
}

function memberOf([id, name, oper, prov, poolId = '', address = '', port = '']: string[]): MemberStatus {
  return { ...nodeOf(id, name, oper, prov), poolId, address, protocol_port: Number(port) };
}
