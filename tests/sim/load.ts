import { DAY, MINUTE } from './clock';
import { hasData, type SimEngine, type SimLoadBalancer, type World } from './world';

/** What clients ask of load balancers, in percent of what an engine can do. */
export function demandOf({ scenario, clock }: World, lb: SimLoadBalancer): number {
  const { mean, swing } = scenario.load;
  const day = 1 + (swing - 1) * Math.sin((2 * Math.PI * clock.now) / DAY);
  return 100 * mean * lb.weight * lb.spike * Math.max(0.05, day);
}

/** What an engine is asked for by each load balancer: its part of what the network leads to it. */
export function partsOf(world: World, engine: SimEngine): Map<SimLoadBalancer, number> {
  const parts = new Map<SimLoadBalancer, number>();
  if (!hasData(engine.machine)) return parts;
  for (const { loadBalancer: lb } of engine.placements) {
    if (!lb.wired.has(engine.id)) continue;
    const standsBy = lb.group.properties.haMode === 'active_standby';
    const part = standsBy ? (isMaster(lb, engine) ? 1 : 0) : 1 / lb.wired.size;
    if (part > 0) parts.set(lb, part * demandOf(world, lb));
  }
  return parts;
}

function isMaster({ id }: SimLoadBalancer, { machine }: SimEngine): boolean {
  return machine?.masterships.get(id)?.state.role === 'master';
}

/** Now and then everybody wants something of one load balancer, for a while. */
export function spike(world: World, until: number): void {
  const { clock, scenario } = world;
  const chance = world.chance.fork('spikes');
  const next = (): void => {
    const delay = chance.waiting(scenario.load.spike);
    if (!Number.isFinite(delay) || clock.now + delay > until) return;
    clock.after(delay, 'a spike', () => {
      const lb = chance.pick([...world.loadBalancers.values()]);
      if (lb) {
        lb.spike = chance.between(5, 40);
        clock.after(chance.between(10, 90) * MINUTE, 'a spike is over', () => {
          lb.spike = 1;
        });
      }
      next();
    });
  };
  next();
}
