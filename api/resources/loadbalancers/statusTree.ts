import type {
  ListenerStatus,
  MemberStatus,
  MonitorStatus,
  NodeStatus,
  StatusTree,
} from '../../../driver/db/read/statusTree';
import { groupBy } from '../../../driver/domain/groupBy';
import type { Schemas } from '../../openapi/schemas';

type PoolTree = Schemas['PoolStatusTree'];

/** The statuses of a tree: pools below each listener that uses them, once each; pools no listener uses do not appear. */
export function statusTreeView(tree: StatusTree): Schemas['StatusTree'] {
  const members = groupBy(tree.members, ({ poolId }) => poolId);
  const monitors = new Map(tree.monitors.map((monitor) => [monitor.poolId, monitor]));
  const pools = new Map(
    tree.pools.map((pool) => [pool.id, poolTree(pool, monitors.get(pool.id), members.get(pool.id) ?? [])]),
  );
  const listeners = tree.listeners.map((listener) => ({
    ...nodeStatus(listener),
    pools: poolIds(listener, tree.redirects).flatMap((id) => pools.get(id) ?? []),
  }));
  return { loadbalancer: { ...nodeStatus(tree), listeners } };
}

function poolIds({ id, defaultPoolId }: ListenerStatus, redirects: StatusTree['redirects']): string[] {
  const ids = redirects.filter(({ listenerId }) => listenerId === id).map(({ poolId }) => poolId);
  return [...new Set(defaultPoolId === null ? ids : [defaultPoolId, ...ids])];
}

function nodeStatus({ id, name, operating_status, provisioning_status }: NodeStatus) {
  return { id, name, operating_status, provisioning_status };
}

function poolTree(
  { id, name, provisioning_status, operating_status }: NodeStatus,
  monitor: MonitorStatus | undefined,
  members: readonly MemberStatus[],
): PoolTree {
  return {
    id,
    name,
    provisioning_status,
    operating_status,
    health_monitor: monitor ? monitorStatus(monitor) : null,
    members: members.map((member) => ({
      ...nodeStatus(member),
      address: member.address,
      protocol_port: member.protocol_port,
    })),
  };
}

function monitorStatus(monitor: MonitorStatus): NonNullable<PoolTree['health_monitor']> {
  const { id, name, type, provisioning_status, operating_status } = monitor;
  return { id, name, type, provisioning_status, operating_status };
}
