import { isPair, machinesOf } from './pairs';
import type { Availability } from './tally';
import { hasData, type Machine, type SimLoadBalancer, type World } from './world';

/** Share of the load balancer's traffic that is answered: the network leads it to all that are wired and whose health checks pass. */
export function shareServed(world: World, lb: SimLoadBalancer): number {
  const led = machinesLedTo(world, lb);
  if (led.length === 0) return 0;
  return led.reduce((sum, it) => sum + (answers(lb, it) ? it.quality : 0), 0) / led.length;
}

/** Machines that get traffic of the load balancer: of a pair the one that says it is the master, the higher term last. */
export function machinesLedTo(world: World, lb: SimLoadBalancer): Machine[] {
  const wired = [...lb.wired].flatMap((id) => world.engines.get(id)?.machine ?? []);
  if (!isPair(lb)) return wired.filter(({ routed }) => routed);
  const masters = mastersOf(lb).filter((it) => it.routed && wired.includes(it));
  const [latest] = masters.sort((a, b) => termOf(lb, b) - termOf(lb, a));
  return latest ? [latest] : [];
}

export function mastersOf(lb: SimLoadBalancer): Machine[] {
  return machinesOf(lb).filter((it) => it.masterships.get(lb.id)?.state.role === 'master');
}

export function termOf({ id }: SimLoadBalancer, machine: Machine): number {
  return machine.masterships.get(id)?.state.term ?? 0;
}

function answers({ id }: SimLoadBalancer, machine: Machine): boolean {
  return hasData(machine) && machine.held.has(id);
}

/** Counts the time since the last change, and begins anew. Gives the time an impairment took that is over now. */
export function account(before: Availability, share: number, now: number): number | undefined {
  before.lost += (1 - before.share) * (now - before.from);
  before.from = now;
  before.share = share;
  if (share < 1) {
    before.impairedSince ??= now;
    return undefined;
  }
  const since = before.impairedSince;
  before.impairedSince = null;
  return since === null ? undefined : now - since;
}
