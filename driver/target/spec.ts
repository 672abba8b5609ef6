import {
  type HealthMonitor,
  type Listener,
  type LoadBalancerTree,
  type Member,
  type Pool,
  vipAddresses,
} from '../domain/tree';
import {
  ListenerSpec,
  type LoadBalancerSpec,
  type MemberSpec,
  MonitorSpec,
  PersistenceSpec,
  PoolSpec,
} from '../protocol/spec';
import { digestOf } from './canonical';

/** What orders the specs of one load balancer. */
export interface SpecVersion {
  readonly generation: number;
  readonly epoch: number;
}

/**
 * What an engine is told to serve of a load balancer. Pure: equal trees give equal digests. Left out is what is being
 * deleted, what is disabled as the protocol says, and pools that no served listener uses.
 * @throws ZodError when a row holds what the protocol does not know
 */
export function buildSpec(tree: LoadBalancerTree, { generation, epoch }: SpecVersion): LoadBalancerSpec {
  const serving = tree.enabled && !tree.deleting;
  const pools = serving ? tree.pools.filter((pool) => !pool.deleting) : [];
  const poolIds = new Set(pools.map(({ id }) => id));
  const listeners = serving
    ? tree.listeners.filter((it) => it.enabled && !it.deleting).map((it) => listenerSpec(it, poolIds))
    : [];
  const used = new Set(listeners.map(({ defaultPoolId }) => defaultPoolId));
  const content = {
    vips: vipAddresses(tree),
    listeners: listeners.sort(byId),
    pools: pools
      .filter(({ id }) => used.has(id))
      .map(poolSpec)
      .sort(byId),
  };
  return { id: tree.id, generation, epoch, digest: digestOf(content), ...content };
}

function listenerSpec(listener: Listener, poolIds: ReadonlySet<string>): ListenerSpec {
  const { defaultPoolId } = listener;
  return ListenerSpec.parse({
    id: listener.id,
    protocol: listener.protocol,
    port: listener.protocolPort,
    connectionLimit: listener.connectionLimit,
    timeoutClientData: listener.timeoutClientData,
    timeoutMemberConnect: listener.timeoutMemberConnect,
    timeoutMemberData: listener.timeoutMemberData,
    timeoutTcpInspect: listener.timeoutTcpInspect,
    insertHeaders: listener.insertHeaders,
    allowedCidrs: listener.allowedCidrs,
    defaultPoolId: defaultPoolId !== null && poolIds.has(defaultPoolId) ? defaultPoolId : null,
  });
}

function poolSpec(pool: Pool): PoolSpec {
  const { monitor } = pool;
  return PoolSpec.parse({
    id: pool.id,
    protocol: pool.protocol,
    algorithm: pool.algorithm,
    persistence: pool.persistence && PersistenceSpec.parse(pool.persistence),
    enabled: pool.enabled,
    members: pool.members
      .filter(({ deleting }) => !deleting)
      .map(memberSpec)
      .sort(byId),
    monitor: monitor?.enabled && !monitor.deleting ? monitorSpec(monitor) : null,
  });
}

function memberSpec(member: Member): MemberSpec {
  return {
    id: member.id,
    address: member.address,
    port: member.protocolPort,
    weight: member.weight,
    backup: member.backup,
    enabled: member.enabled,
    monitorAddress: member.monitorAddress,
    monitorPort: member.monitorPort,
  };
}

function monitorSpec(monitor: HealthMonitor): MonitorSpec {
  return MonitorSpec.parse({
    id: monitor.id,
    type: monitor.type,
    delay: monitor.delay,
    timeout: monitor.timeout,
    riseThreshold: monitor.riseThreshold,
    fallThreshold: monitor.fallThreshold,
    httpMethod: monitor.httpMethod,
    urlPath: monitor.urlPath,
    expectedCodes: monitor.expectedCodes,
    httpVersion: monitor.httpVersion,
    domainName: monitor.domainName,
  });
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
