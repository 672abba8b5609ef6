import { setHealth } from '../haproxy/commands';
import type { Backend } from '../haproxy/layout';
import type { PingTarget } from './pinger';
import type { Unit } from './unit';

/** Pings whom the layout in force says, and tells haproxy what is known of them: a new worker takes all for up. */
export async function watchPings(unit: Unit): Promise<void> {
  const { pinger, running } = unit;
  if (pinger === null) return;
  const targets = new Map(pinged(unit).map(({ target }) => [target.key, target]));
  pinger.watch([...targets.values()]);
  const commands = pinged(unit).flatMap(({ backend, memberId, target }) => {
    const state = pinger.state(target.key);
    return state === null ? [] : [setHealth(backend, memberId, state === 'UP' ? 'up' : 'down').text];
  });
  await running?.daemon.runtime.run(commands);
}

/** Tells haproxy the result of a member's pings. */
export async function applyPing(unit: Unit, key: string, state: 'UP' | 'DOWN'): Promise<void> {
  const commands = pinged(unit)
    .filter(({ target }) => target.key === key)
    .map(({ backend, memberId }) => setHealth(backend, memberId, state === 'UP' ? 'up' : 'down').text);
  await unit.running?.daemon.runtime.run(commands);
}

/** Every server that is pinged: a pool with several backends has several of one member. */
function pinged(unit: Unit): { backend: Backend; memberId: string; target: PingTarget }[] {
  return (unit.running?.layout?.backends ?? []).flatMap((backend) => {
    const { id, monitor, members } = backend.pool;
    if (monitor?.type !== 'PING') return [];
    return members
      .filter(({ enabled }) => enabled)
      .map((member) => ({
        backend,
        memberId: member.id,
        target: { key: `${id}/${member.id}`, address: member.monitorAddress ?? member.address, monitor },
      }));
  });
}
