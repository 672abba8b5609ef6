import { machinesLedTo } from './availability';
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
  const { machine } = engine;
  if (!hasData(machine)) return parts;
  for (const { loadBalancer: lb } of engine.placements) {
    const led = machinesLedTo(world, lb);
    if (led.includes(machine)) parts.set(lb, demandOf(world, lb) / led.length);
  }
  return parts;
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
