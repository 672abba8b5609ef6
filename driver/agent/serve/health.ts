import type { HealthByPool, KnownHealth } from '../haproxy/serverState';
import { hasBeenChecked } from '../haproxy/stats';
import type { Newcomer, Unit } from './unit';

/** What the last statistics tell about members, for the next worker to start from. */
export function knownHealth(unit: Unit): HealthByPool {
  const health = new Map<string, Map<string, KnownHealth>>();
  for (const row of unit.rows) {
    if (!hasBeenChecked(row)) continue;
    // A backend is named after its pool, with the listener after a colon if there are several.
    const poolId = row.proxy.split(':')[0] ?? '';
    const members = health.get(poolId) ?? new Map<string, KnownHealth>();
    health.set(poolId, members.set(row.server, row.status.startsWith('DOWN') ? 'DOWN' : 'UP'));
  }
  return health;
}

/** The same, with members that are yet to be checked taken for down: a new worker gives them no traffic. */
export function withoutNewcomers(health: HealthByPool, newcomers: readonly Newcomer[]): HealthByPool {
  const all = new Map([...health].map(([poolId, members]) => [poolId, new Map(members)]));
  for (const { backend, member } of newcomers) {
    const members = all.get(backend.pool.id) ?? new Map<string, KnownHealth>();
    all.set(backend.pool.id, members.set(member.id, 'DOWN'));
  }
  return all;
}
