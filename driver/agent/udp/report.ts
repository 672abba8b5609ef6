import type { LoadBalancerReport, MemberState, PoolState } from '../../protocol/messages';
import type { MemberSpec, PoolSpec } from '../../protocol/spec';
import { currentGeneration, memberKey, type UdpUnit } from './unit';

/** The part of a load balancer's report that tells of UDP. */
export type UdpReport = Pick<LoadBalancerReport, 'listeners' | 'pools'>;

/** The states Octavia knows. A listener whose port could not be bound is not reported, nor are those of a dead nginx. */
export function udpReport(unit: UdpUnit): UdpReport {
  const report: UdpReport = { listeners: {}, pools: {} };
  const { layout, blocked, active } = unit;
  if (layout === null) return report;
  const running = currentGeneration(unit) !== undefined;
  for (const { listener, pool } of layout.frontends) {
    const wanted = pool !== null && pool.members.length > 0;
    if (blocked.has(listener.id) || (wanted && !running && isServed(unit, pool))) continue;
    const full = listener.connectionLimit > 0 && (active.get(listener.id) ?? 0) >= listener.connectionLimit;
    report.listeners[listener.id] = full ? 'FULL' : 'OPEN';
  }
  for (const pool of layout.pools) report.pools[pool.id] = poolReport(unit, pool);
  return report;
}

function isServed(unit: UdpUnit, pool: PoolSpec): boolean {
  return poolReport(unit, pool).state === 'UP';
}

function poolReport(unit: UdpUnit, pool: PoolSpec): UdpReport['pools'][string] {
  const members = Object.fromEntries(pool.members.map((member) => [member.id, memberState(unit, pool, member)]));
  return { state: poolState(pool, members), members };
}

/** As haproxy says it: a pool without members is up, one that could give a client to nobody is down. */
function poolState(pool: PoolSpec, states: Readonly<Record<string, MemberState>>): PoolState {
  const able = pool.members.filter(({ id, weight }) => weight > 0 && !['DOWN', 'MAINT'].includes(states[id] ?? ''));
  return able.length > 0 || pool.members.length === 0 ? 'UP' : 'DOWN';
}

function memberState(
  { healthInForce: health }: UdpUnit,
  { id: poolId, monitor }: PoolSpec,
  member: MemberSpec,
): MemberState {
  if (!member.enabled) return 'MAINT';
  if (monitor === null) return 'NO_CHECK';
  const state = health.get(memberKey(poolId, member.id));
  if (state === undefined) return 'RESTARTING';
  if (state === 'DOWN') return 'DOWN';
  return member.weight === 0 ? 'DRAIN' : 'UP';
}
