import type { ListenerSpec, LoadBalancerSpec, MemberSpec, PoolSpec } from '../../protocol/spec';
import { socketAddress } from '../haproxy/layout';

/** What is known of a member by its checks; null before the first one. */
export type Health = 'UP' | 'DOWN' | null;

/** A UDP listener and the pool that serves it, if any does. */
export interface UdpFrontend {
  readonly listener: ListenerSpec;
  readonly pool: PoolSpec | null;
}

/** The UDP side of a load balancer. */
export interface UdpLayout {
  readonly loadBalancerId: string;
  readonly vips: readonly string[];
  readonly frontends: readonly UdpFrontend[];
  /** Each pool once, in the order of the spec. */
  readonly pools: readonly PoolSpec[];
}

/** The UDP listeners of a spec, with their pools; a disabled pool serves nobody. */
export function layOutUdp(spec: LoadBalancerSpec): UdpLayout {
  const enabled = new Map(spec.pools.filter((pool) => pool.enabled).map((pool) => [pool.id, pool]));
  const frontends = spec.listeners
    .filter(({ protocol }) => protocol === 'UDP')
    .map((listener) => ({ listener, pool: enabled.get(listener.defaultPoolId ?? '') ?? null }));
  const used = new Set(frontends.map(({ pool }) => pool?.id));
  return {
    loadBalancerId: spec.id,
    vips: spec.vips,
    frontends,
    pools: spec.pools.filter(({ id, enabled: on }) => on && used.has(id)),
  };
}

/** Who shares the traffic of a pool. */
export interface Balance {
  readonly pool: PoolSpec;
  readonly members: readonly MemberSpec[];
}

/** What a choice of members depends on besides the pool. */
export interface MemberKnowledge {
  health(poolId: string, memberId: string): Health;
  /** True for one that joined others and waits for its first check. */
  isNewcomer(poolId: string, memberId: string): boolean;
}

/**
 * The members that get traffic: enabled, with a weight, not down and, if there are others, checked once; backups only when
 * nobody else is left. Whoever is not yet known to be down is better than nobody.
 */
export function balanceOf(pool: PoolSpec, { health, isNewcomer }: MemberKnowledge): Balance {
  const able = pool.members.filter(
    ({ id, enabled, weight }) => enabled && weight > 0 && health(pool.id, id) !== 'DOWN',
  );
  const groups = [
    able.filter(({ id, backup }) => !backup && !isNewcomer(pool.id, id)),
    able.filter(({ id, backup }) => backup && !isNewcomer(pool.id, id)),
    able.filter(({ backup }) => !backup),
    able,
  ];
  return { pool, members: groups.find((group) => group.length > 0) ?? [] };
}

/** A VIP and port that is bound. */
export interface UdpEndpoint {
  readonly listenerId: string;
  readonly address: string;
  readonly port: number;
}

/** All endpoints of the listeners, served or not. */
export function udpEndpoints(layout: UdpLayout): UdpEndpoint[] {
  return layout.frontends.flatMap(({ listener }) =>
    layout.vips.map((address) => ({ listenerId: listener.id, address, port: listener.port })),
  );
}

/** How an endpoint is written, in nginx as in haproxy. */
export function endpointName({ address, port }: UdpEndpoint): string {
  return socketAddress(address, port);
}
