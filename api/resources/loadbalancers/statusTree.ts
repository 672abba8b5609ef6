import { fromJson } from '../../../driver/db/codecs';
import type {
  ListenerStatus,
  MemberStatus,
  NodeStatus,
  PoolStatus,
  Redirect,
  StatusTreeRead,
} from '../../../driver/db/read/statusTree';
import type { Schemas } from '../../openapi/schemas';
import { groupBy } from '../groupBy';

type PoolTree = Schemas['PoolStatusTree'];

/** The statuses of a tree: pools below each listener that uses them, once each; pools no listener uses do not appear. */
export function statusTreeView(row: StatusTreeRead): Schemas['StatusTree'] {
  const members = groupBy(fromJson<MemberStatus[]>(row.members), (member) => member.pool_id);
  const pools = new Map(
    fromJson<PoolStatus[]>(row.pools).map((pool) => [pool.id, poolTree(pool, members.get(pool.id) ?? [])]),
  );
  const redirects = fromJson<Redirect[]>(row.redirects);
  const listeners = fromJson<ListenerStatus[]>(row.listeners).map((listener) => ({
    ...nodeStatus(listener),
    pools: poolIds(listener, redirects).flatMap((id) => pools.get(id) ?? []),
  }));
  return { loadbalancer: { ...nodeStatus(row), listeners } };
}

function poolIds(listener: ListenerStatus, redirects: readonly Redirect[]): string[] {
  const ids = redirects.filter((redirect) => redirect.listener_id === listener.id).map(({ pool_id: id }) => id);
  return [...new Set(listener.default_pool_id === null ? ids : [listener.default_pool_id, ...ids])];
}

function nodeStatus({ id, name, operating_status, provisioning_status }: NodeStatus) {
  return { id, name, operating_status, provisioning_status };
}

function poolTree(pool: PoolStatus, poolMembers: readonly MemberStatus[]): PoolTree {
  const { id, name, provisioning_status, operating_status } = pool;
  const health_monitor = pool.hm_id === null ? null : monitorStatus(pool, pool.hm_id);
  const members = poolMembers.map((member) => ({
    ...nodeStatus(member),
    address: member.address,
    protocol_port: member.protocol_port,
  }));
  return { id, name, provisioning_status, operating_status, health_monitor, members };
}

function monitorStatus(pool: PoolStatus, id: string): NonNullable<PoolTree['health_monitor']> {
  return {
    id,
    name: pool.hm_name,
    type: pool.hm_type,
    provisioning_status: pool.hm_provisioning_status,
    operating_status: pool.hm_operating_status,
  };
}
