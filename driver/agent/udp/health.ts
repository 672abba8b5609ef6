import type { PingTarget } from '../serve/pinger';
import type { UdpLayout } from './layout';
import { memberKey, type UdpUnit } from './unit';

/** Whom the layout in force wants checked. */
export function targetsOf({ layout }: UdpUnit): PingTarget[] {
  return (layout?.pools ?? []).flatMap(({ id, monitor, members }) => {
    if (monitor === null) return [];
    return members
      .filter(({ enabled }) => enabled)
      .map((member) => ({
        key: memberKey(id, member.id),
        address: member.monitorAddress ?? member.address,
        port: member.monitorPort ?? member.port,
        monitor,
      }));
  });
}

/** Members that join others in a pool start down, if the pool says so. To be called before the layout is replaced. */
export function noteNewcomers({ layout: before, newcomers, health }: UdpUnit, layout: UdpLayout): void {
  for (const pool of layout.pools) {
    const known = new Set(before?.pools.find(({ id }) => id === pool.id)?.members.map(({ id }) => id));
    if (known.size === 0 || !pool.membersStartDown || pool.monitor === null) continue;
    for (const { id } of pool.members) {
      const key = memberKey(pool.id, id);
      if (!known.has(id) && !health.has(key)) newcomers.add(key);
    }
  }
}

/** Forgets what was known of members that are not checked any more. */
export function forgetStrangers(unit: UdpUnit): void {
  const checked = new Set(targetsOf(unit).map(({ key }) => key));
  for (const key of unit.health.keys()) if (!checked.has(key)) unit.health.delete(key);
  for (const key of unit.newcomers) if (!checked.has(key)) unit.newcomers.delete(key);
}
