import type { Peers } from '../domain/peers';
import {
  type HealthMonitor,
  type L7Policy,
  type Listener,
  type LoadBalancerTree,
  learnsOfClients,
  type Member,
  type Pool,
  vipAddresses,
} from '../domain/tree';
import {
  type AnnouncementSpec,
  type FirewallRule,
  ListenerSpec,
  type LoadBalancerSpec,
  type MemberSpec,
  MonitorSpec,
  type PeersSpec,
  PersistenceSpec,
  PoolSpec,
} from '../protocol/spec';
import { digestOf } from './canonical';
import { DEFAULT_OPTIONS, type SpecOptions } from './options';
import { listenerTls, type Materials, poolTls } from './tls';

export type { Materials } from './tls';

/** What orders the specs of one load balancer, and where on the engine it is served. */
export interface SpecVersion {
  readonly generation: number;
  readonly epoch: number;
  /** Absent: where the agent runs, behind no firewall. */
  readonly place?: SpecPlace;
  /** It is on its way off the engine. */
  readonly draining?: boolean;
  /** Of the placement. */
  readonly role?: 'primary' | 'secondary' | 'standby';
}

/** Where on an engine a load balancer is served: see `LoadBalancerSpec`. */
export interface SpecPlace {
  readonly domainId: string | null;
  readonly firewall: readonly FirewallRule[] | null;
  /** Absent: there is no way to other engines. */
  readonly peers?: Peers | undefined;
}

const ANYWHERE: SpecPlace = { domainId: null, firewall: null };

/**
 * What an engine is told to serve of a load balancer. Pure: equal trees give equal digests. Left out is what is being
 * deleted, what is disabled as the protocol says, policies without rules, and pools that no served listener uses.
 * @throws ZodError when a row holds what the protocol does not know
 */
export function buildSpec(
  tree: LoadBalancerTree,
  { generation, epoch, place = ANYWHERE, draining = false, role }: SpecVersion,
  materials: Materials = new Map(),
  options: SpecOptions = DEFAULT_OPTIONS,
): LoadBalancerSpec {
  const serving = tree.enabled && !tree.deleting;
  const pools = serving ? tree.pools.filter((pool) => !pool.deleting) : [];
  const poolIds = new Set(pools.map(({ id }) => id));
  const listeners = serving
    ? tree.listeners
        .filter((it) => it.enabled && !it.deleting)
        .map((it) => listenerSpec(it, { poolIds, materials, options }))
    : [];
  const used = new Set(
    listeners.flatMap(({ defaultPoolId, l7Policies }) => [
      defaultPoolId,
      ...l7Policies.map(({ redirectPoolId }) => redirectPoolId),
    ]),
  );
  const served = pools.filter(({ id }) => used.has(id));
  const content = {
    domainId: place.domainId,
    firewall: place.firewall && [...place.firewall],
    vips: vipAddresses(tree),
    ...(tree.vipMode === 'bgp' && { announcement: announcementSpec(options, draining && isPair(tree)) }),
    ...(options.whenDown === 'close' && { whenDown: 'close' as const, closeDelay: options.withdrawDelay }),
    ...(tree.vipHeld && { answersForVips: false }),
    ...mastershipOf(tree, role),
    ...(draining && { leaving: true as const }),
    listeners: listeners.sort(byId),
    ...(place.peers && served.some(learnsOfClients) && { peers: peersSpec(place.peers) }),
    pools: served.map((pool) => poolSpec(pool, materials, options)).sort(byId),
  };
  return { id: tree.id, generation, epoch, digest: digestOf(content), ...content };
}

function peersSpec({ engineId, address, port, others }: Peers): PeersSpec {
  return { name: engineId, address, port, others: others.map((it) => ({ name: it.engineId, address: it.address })) };
}

/** Of a pair only; what drains is not the master any more. */
function mastershipOf({ masterTerm = null }: LoadBalancerTree, role: SpecVersion['role']) {
  if (masterTerm === null || role === undefined) return {};
  return { mastership: { term: masterTerm, master: role === 'primary' } };
}

function isPair({ masterTerm = null }: LoadBalancerTree): boolean {
  return masterTerm !== null;
}

/**
 * In this mode a VIP goes while no member is usable unless the flavor says otherwise. Of a pair the other engine takes over
 * when one drains. Else it is announced until the engine forgets the load balancer: vRouters cut what it carries with the route.
 */
function announcementSpec({ whenDown, restoreDelay, withdrawDelay }: SpecOptions, draining: boolean): AnnouncementSpec {
  const when = whenDown === null || whenDown === 'withdraw' ? 'usable' : 'always';
  return { when, upDelay: restoreDelay, downDelay: withdrawDelay, draining };
}

interface ListenerContext {
  readonly poolIds: ReadonlySet<string>;
  readonly materials: Materials;
  readonly options: SpecOptions;
}

function listenerSpec(listener: Listener, { poolIds, materials, options }: ListenerContext): ListenerSpec {
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
    l7Policies: l7Policies(listener, poolIds),
    tls: listener.protocol === 'TERMINATED_HTTPS' ? listenerTls(listener, materials) : null,
    log: options.logTarget === null ? null : { target: options.logTarget },
  });
}

function l7Policies(listener: Listener, poolIds: ReadonlySet<string>): unknown[] {
  return listener.policies
    .filter((policy) => policy.enabled && !policy.deleting)
    .map((policy) => l7Policy(policy, poolIds))
    .filter(({ rules }) => rules.length > 0);
}

function l7Policy(policy: L7Policy, poolIds: ReadonlySet<string>) {
  const { id, action, redirectPoolId, redirectUrl, redirectPrefix, redirectHttpCode } = policy;
  return {
    id,
    action,
    redirectPoolId: redirectPoolId !== null && poolIds.has(redirectPoolId) ? redirectPoolId : null,
    redirectUrl,
    redirectPrefix,
    redirectHttpCode,
    rules: policy.rules
      .filter((rule) => rule.enabled && !rule.deleting)
      .map(({ id, type, compareType, key, value, invert }) => ({ id, type, compareType, key, value, invert })),
  };
}

function poolSpec(pool: Pool, materials: Materials, { membersStartDown }: SpecOptions): PoolSpec {
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
    tls: pool.tls.enabled ? poolTls(pool, materials) : null,
    membersStartDown,
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
