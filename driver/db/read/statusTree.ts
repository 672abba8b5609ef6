import type { OperatingStatus, ProvisioningStatus } from '../../domain/status';
import { type Db, jsonObjectsOf, prepared } from '../connect';
import type { Json } from '../rows';
import type { Aggregate } from '../sql';
import { NOT_DELETED } from './model';

export interface NodeStatus {
  id: string;
  name: string;
  operating_status: OperatingStatus;
  provisioning_status: ProvisioningStatus;
}

/** The statuses of a load balancer's tree; the lists are JSON of the types below. */
export interface StatusTreeRead extends NodeStatus {
  project_id: string;
  listeners: Json;
  pools: Json;
  members: Json;
  redirects: Json;
}

export type ListenerStatus = NodeStatus & { default_pool_id: string | null };
/** The `hm_` part is null without a health monitor. */
export type PoolStatus = NodeStatus & {
  hm_id: string | null;
  hm_name: string;
  hm_type: string;
  hm_operating_status: OperatingStatus;
  hm_provisioning_status: ProvisioningStatus;
};
export type MemberStatus = NodeStatus & { pool_id: string; address: string; protocol_port: number };
/** A pool that an L7 policy of the listener sends requests to. */
export interface Redirect {
  listener_id: string;
  pool_id: string;
}

/** One statement, whatever the size of the tree; undefined for a load balancer that is not there. */
export async function readStatusTree(db: Db, loadBalancerId: string): Promise<StatusTreeRead | undefined> {
  const lists = [
    `${jsonObjectsOf(db, { ...status('l'), default_pool_id: 'l.default_pool_id' }, over('listener l', 'l'))} as listeners`,
    `${jsonObjectsOf(db, { ...status('p'), ...status('h', 'hm_'), hm_type: 'h.type' }, over(POOLS, 'p'))} as pools`,
    `${jsonObjectsOf(db, { ...status('m'), pool_id: 'm.pool_id', address: 'm.ip_address', protocol_port: 'm.protocol_port' }, MEMBERS)} as members`,
    `${jsonObjectsOf(db, { listener_id: 'y.listener_id', pool_id: 'y.redirect_pool_id' }, REDIRECTS)} as redirects`,
  ];
  const columns = 'o.id, o.name, o.operating_status, o.provisioning_status, o.project_id';
  const sql = `select ${columns}, ${lists.join(', ')} from load_balancer o where ${NOT_DELETED} and o.id = ?`;
  const [row] = await prepared<StatusTreeRead>(db, sql, [loadBalancerId]);
  return row;
}

const POOLS = 'pool p left join health_monitor h on h.pool_id = p.id';
const MEMBERS: Aggregate = {
  from: 'pool p join member m on m.pool_id = p.id',
  where: 'p.load_balancer_id = o.id',
  orderBy: 'm.created_at, m.id',
};
const REDIRECTS: Aggregate = {
  from: 'listener l join l7policy y on y.listener_id = l.id',
  where: 'l.load_balancer_id = o.id and y.redirect_pool_id is not null',
  orderBy: 'y.position, y.id',
};

function status(alias: string, prefix = ''): Record<string, string> {
  const columns = ['id', 'name', 'operating_status', 'provisioning_status'];
  return Object.fromEntries(columns.map((column) => [`${prefix}${column}`, `${alias}.${column}`]));
}

function over(from: string, alias: string): Aggregate {
  return { from, where: `${alias}.load_balancer_id = o.id`, orderBy: `${alias}.created_at, ${alias}.id` };
}
